"""Line pictures: panels side by side, and every arm named where its line ends."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from core.plots.drawing.frames import Frame, frame, name_axes, numbers, set_axis
from core.plots.drawing.names import name_of
from core.plots.drawing.side_rows import NOTE, draw_beside
from core.plots.drawing.styles import COLOURS, GREY, INK, PAPER, line_style, styled
from core.plots.drawing.text import width, wrap

_HEIGHT = 4.3
_PANEL = {1: 6.6, 2: 4.3, 3: 3.5}
"""Width of a panel, by the number of columns."""
_ROW, _BETWEEN = 2.8, 0.75
"""Height of a row below the first, and what is left between rows for a title and an axis."""
_LEFT, _GAP, _APART, _BOTTOM, _TOP = 0.78, 0.3, 0.15, 0.48, 0.26
_REACH, _SWATCH, _SPACE = 0.22, 0.26, 0.07
"""Inches from the axes to a label's swatch, the swatch's length, and from there to the text."""
_MOST_LABEL = 2.6
_MARKERS_UP_TO = 40
_SAME, _DASH = 1.0, 4.0
"""Pixels within which lines lie on each other; in widths of a line, the dash by which they then take turns."""


@styled
def draw_lines(data: dict[str, Any]) -> Figure:
    """Draw `panels`, each with `x`, `y` (see `set_axis`) and `lines`; `arms` have the `label` and `note` of each arm.

    More than three, or `columns`, stand in rows of as many, with the names beside the first row. A line has its
    `arm`'s index, a `role` ("main", "second", "diverged"), `x`, `y`, `low`, `high`, `raw`; one that diverged but
    `goes_on` beyond the picture has no mark at its end. Panels share the y axis of the first, but where `own_y`
    says that each has its own. Right of the names stands what `beside` has, where it is there, each arm's row in
    the height of its name. `empty` is written where there are no lines.
    """
    panels, beside = data["panels"], data.get("beside")
    labels = _Labels(data["arms"])
    gutter = _REACH + _SWATCH + _SPACE + labels.width
    columns = min(len(panels), data.get("columns", max(_PANEL)))
    below = (-(-len(panels) // columns) - 1) * (_ROW + _BETWEEN)
    each = _PANEL[min(max(_PANEL), columns + (beside is not None))]
    height = max(_HEIGHT if not below else _ROW, labels.height + 0.2)
    own_y = data.get("own_y", False)
    gap = _LEFT if own_y else _GAP
    inner = columns * each + (columns - 1) * gap
    notes = max([width(row["note"], NOTE) for row in beside["rows"]], default=0.0) if beside is not None else 0.0
    right = 0.0 if beside is None else _APART + each + notes + 0.1
    place = frame(data["title"], data["caption"], _LEFT + inner + gutter + right, _BOTTOM + below + height + _TOP)
    drawn: list[Axes] = []
    for i, panel in enumerate(panels):
        shared = drawn[0] if drawn and not own_y else None
        row, column = divmod(i, columns)
        bottom = _BOTTOM + below - row * (_ROW + _BETWEEN)
        axes = place.axes(_LEFT + column * (each + gap), bottom, each, _ROW if row else height, sharey=shared)
        drawn.append(axes)
        _draw_panel(axes, panel, first=shared is None, empty=data.get("empty", "nothing measured"))
    ends = [_ends(axes, panel["lines"]) for axes, panel in zip(drawn[:columns], panels, strict=False)]
    heights = labels.draw(place, drawn[columns - 1], ends, (_LEFT + inner, _BOTTOM + below, height))
    if beside is not None:
        axes = place.axes(_LEFT + inner + gutter + _APART, _BOTTOM + below, each, height)
        draw_beside(axes, beside, heights)
    return place.figure


def _draw_panel(axes: Axes, panel: dict[str, Any], first: bool, empty: str) -> None:
    name_axes(axes, panel["title"])
    set_axis(axes, "x", panel["x"])
    if first:
        set_axis(axes, "y", panel["y"])
    else:
        axes.tick_params(labelleft=False)
    axes.autoscale(False)
    many = len({line["arm"] for line in panel["lines"]}) > len(COLOURS)
    shared = _coinciding(axes, panel["lines"])
    for i, line in enumerate(panel["lines"]):
        _draw_line(axes, line, many, shared.get(i, {}))
    if not panel["lines"]:
        axes.text(0.5, 0.5, empty, transform=axes.transAxes, ha="center", color=GREY)


def _coinciding(axes: Axes, lines: Sequence[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Return of the main lines that lie on others the dashes that let each of them be seen in its turn."""
    groups: list[tuple[NDArray[Any], list[int]]] = []
    for i, line in enumerate(lines):
        if line["role"] != "main" or len(line["x"]) < 2:
            continue
        points = axes.transData.transform(np.column_stack([np.array(line["x"], dtype=np.float64), numbers(line["y"])]))
        for known, members in groups:
            if known.shape == points.shape and np.allclose(known, points, rtol=0, atol=_SAME, equal_nan=True):
                members.append(i)
                break
        else:
            groups.append((points, [i]))
    return {
        i: {"linestyle": (place * _DASH, (_DASH, (len(members) - 1) * _DASH))}
        for _, members in groups
        for place, i in enumerate(members)
        if len(members) > 1
    }


def _draw_line(axes: Axes, line: dict[str, Any], many: bool, dashes: dict[str, Any]) -> None:
    style = line_style(line["arm"])
    x, y = np.array(line["x"], dtype=np.float64), numbers(line["y"])
    if line["raw"] is not None:
        raw = numbers(line["raw"]["y"])
        axes.plot(line["raw"]["x"], raw, color=style["color"], lw=0.5, alpha=0.1 if many else 0.25, zorder=1)
    if line["low"] is not None:
        band = numbers(line["low"]), numbers(line["high"])
        if len(x) > 1:
            axes.fill_between(x, *band, color=style["color"], alpha=0.06 if many else 0.15, lw=0, zorder=1.5)
        else:
            axes.vlines(x, *band, color=style["color"], lw=1.2, alpha=0.6)
    marker: dict[str, Any] = {"marker": "o", "markersize": 3} if len(x) <= _MARKERS_UP_TO else {}
    if line["role"] == "second":
        axes.plot(x, y, **style | {"linestyle": (0, (3, 2))}, lw=0.9, alpha=0.8, zorder=2)
    elif line["role"] == "diverged":
        axes.plot(x, y, **style, lw=0.8, alpha=0.7, zorder=2)
        if line.get("goes_on"):
            return
        low, high = axes.get_ylim()
        axes.plot(
            x[-1:],
            np.clip(y[-1:], low, high),
            marker="X",
            clip_on=False,
            markersize=7,
            color=style["color"],
            mec=PAPER,
            zorder=4,
        )
    else:
        shape = {"drawstyle": "steps-post"} if line.get("held") else marker
        axes.plot(x, y, **style | dashes, **shape, lw=1.3 if many else 1.7, zorder=3)


def _ends(axes: Axes, lines: Sequence[dict[str, Any]]) -> dict[int, tuple[float, float]]:
    """Return the point at which each arm's line ends, in parts of the axes; of several lines the main one's."""
    found: dict[int, tuple[float, float]] = {}
    for line in sorted(lines, key=lambda one: one["role"] == "main"):
        y = numbers(line["y"])
        finite = np.flatnonzero(np.isfinite(y))
        if line["role"] == "second" or not len(finite):
            continue
        at = (line["x"][finite[-1]], y[finite[-1]])
        across, up = axes.transAxes.inverted().transform(axes.transData.transform(at))
        found[line["arm"]] = (float(np.clip(across, 0, 1)), float(np.clip(up, 0, 1)))
    return found


class _Labels:
    """The arms' names beside the last panel, each as near to its line's end as the others allow, never overlapping."""

    def __init__(self, arms: Sequence[dict[str, str]]) -> None:
        self.size = 8.5 if len(arms) <= 12 else 7.5
        self.note_size = self.size - 1
        self.texts = [wrap(name_of(arm), self.size, _MOST_LABEL) for arm in arms]
        self.notes = [wrap(arm["note"], self.note_size, _MOST_LABEL) if arm["note"] else [] for arm in arms]
        self.heights = [
            (len(text) * self.size * 1.25 + len(note) * self.note_size * 1.25 + 0.25 * self.size) / 72
            for text, note in zip(self.texts, self.notes, strict=True)
        ]
        self.width = max(
            [width(line, self.size) for text in self.texts for line in text]
            + [width(line, self.note_size) for note in self.notes for line in note],
            default=0.0,
        )
        self.height = sum(self.heights)

    def draw(
        self, place: Frame, last: Axes, ends: list[dict[int, tuple[float, float]]], gutter: tuple[float, float, float]
    ) -> dict[int, float]:
        """Draw the names; `ends` are each panel's line ends, `gutter` its left edge, bottom and height in inches.

        Returns the height of each arm's name as a part of the axes' height.
        """
        left, bottom, height = gutter
        known = {arm: up for panel in ends for arm, (_, up) in panel.items()}
        order = sorted(range(len(self.texts)), key=lambda arm: -known.get(arm, -1.0))
        total_width, total_height = place.figure.get_size_inches()
        middles = _spread(
            [height * (1 - known.get(arm, 0.0)) for arm in order], [self.heights[a] for a in order], height
        )
        start = (place.left + left + _REACH) / total_width
        for arm, middle in zip(order, middles, strict=True):
            y = (place.bottom + bottom + height - middle) / total_height
            style = line_style(arm)
            if arm in ends[-1]:
                last.annotate(
                    "",
                    ends[-1][arm],
                    xycoords="axes fraction",
                    xytext=(start, y),
                    textcoords="figure fraction",
                    arrowprops={
                        "arrowstyle": "-",
                        "color": style["color"],
                        "lw": 0.6,
                        "alpha": 0.6,
                        "shrinkA": 0,
                        "shrinkB": 2,
                    },
                )
            swatch = last.plot(
                [start, start + _SWATCH / total_width],
                [y, y],
                transform=place.figure.transFigure,
                clip_on=False,
                lw=2,
                **style,
            )
            swatch[0].set_in_layout(False)
            self._write(place, arm, start + (_SWATCH + _SPACE) / total_width, y, total_height)
        return {arm: 1 - middle / height for arm, middle in zip(order, middles, strict=True)}

    def _write(self, place: Frame, arm: int, x: float, y: float, total_height: float) -> None:
        text, note = self.texts[arm], self.notes[arm]
        line, small = self.size * 1.25 / 72, self.note_size * 1.25 / 72
        top = y + (len(text) * line + len(note) * small) / 2 / total_height
        for i, words in enumerate(text):
            place.figure.text(
                x, top - (i + 0.5) * line / total_height, words, size=self.size, color=INK, va="center_baseline"
            )
        top -= len(text) * line / total_height
        for i, words in enumerate(note):
            place.figure.text(
                x, top - (i + 0.5) * small / total_height, words, size=self.note_size, color=GREY, va="center_baseline"
            )


def _spread(wished: Sequence[float], heights: Sequence[float], room: float) -> list[float]:
    """Return the middles of boxes, in order and without overlap within `room`, as near as possible to `wished`."""
    if not wished:
        return []
    before = np.concatenate([[0.0], np.cumsum(heights)[:-1]])
    tops = np.array(wished) - np.array(heights) / 2 - before
    free = max(0.0, room - sum(heights))
    middles: list[float] = (np.clip(isotonic_regression(tops).x, 0.0, free) + before + np.array(heights) / 2).tolist()
    return middles
