"""Small multiples: one panel an arm, all on the same axes, so that they compare at a glance."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from core.plots.drawing.frames import Frame, frame, numbers, set_axis
from core.plots.drawing.styles import COLOURS, GREY, INK, PAPER, styled
from core.plots.drawing.text import width, wrap

_LEFT, _RIGHT, _BOTTOM, _KEY = 0.78, 0.12, 0.5, 0.3
_GAP_X, _GAP_Y = 0.22, 0.2
_LABEL, _NOTE, _AXIS = 9.0, 7.5, 9.0
_LINE, _NOTE_LINE, _LABEL_LINE = _LABEL * 1.25 / 72, 0.15, _AXIS * 1.3 / 72
_SIZES = {1: (6.6, 3.9), 2: (4.3, 3.4), 3: (3.2, 2.8), 4: (2.55, 1.75)}
"""Width and height of a panel in inches, by the number of columns."""
_SWATCH, _SPACE = 0.3, 0.07

# By role: an arm's name stands above its panel, so that colours are free to tell apart what is inside.
STYLES: Mapping[str, dict[str, Any]] = {
    "seed": {"color": COLOURS[0], "lw": 1.0, "alpha": 0.6},
    "mean": {"color": INK, "lw": 1.9},
    "diverged": {"color": COLOURS[1], "lw": 0.9, "alpha": 0.85},
    "valid": {"color": COLOURS[0], "lw": 1.8},
    "train": {"color": COLOURS[1], "lw": 1.6, "ls": (0, (4, 1.6))},
    "zero": {"color": GREY, "lw": 0.9},
    "margin": {"color": COLOURS[2], "lw": 1.1, "ls": (0, (4, 1.6))},
}


@styled
def draw_multiples(data: dict[str, Any]) -> Figure:
    """Draw `panels`, each with a `title`, a `note` below it and `lines`; all have the `x` and `y` of the first.

    A line has its `role` (see `STYLES`), `x`, `y`, and `low` and `high` or None. `key` names the roles that occur.
    `shaded`, where it is there, are two roles: what lies between their lines is shaded.
    """
    panels = data["panels"]
    columns = _columns(len(panels))
    rows = max(1, math.ceil(len(panels) / columns))
    wide, high = _SIZES[columns]
    titles = [wrap(panel["title"], _LABEL * 1.1, wide) for panel in panels]  # bold is wider than what is measured
    notes = [wrap(panel["note"], _NOTE, wide) for panel in panels]
    above = [
        0.07
        + _NOTE_LINE * max(map(len, notes[start : start + columns]))
        + _LINE * max(map(len, titles[start : start + columns]))
        for start in range(0, len(panels), columns)
    ] or [0.0]
    drawn = rows * high + sum(above) + (rows - 1) * _GAP_Y
    label = wrap(panels[0]["y"]["label"], _AXIS, drawn - above[0]) if panels else []
    left = _LEFT + _LABEL_LINE * max(0, len(label) - 1)
    across = left + columns * wide + (columns - 1) * _GAP_X + _RIGHT
    down = _BOTTOM + drawn + _KEY
    place = frame(data["title"], data["caption"], across, down)
    _draw_key(place, data["key"], down)
    bottom = _BOTTOM + drawn
    for row in range(rows):
        bottom -= above[row] + high
        for i in range(row * columns, min((row + 1) * columns, len(panels))):
            column = i - row * columns
            axes = place.axes(left + column * (wide + _GAP_X), bottom, wide, high, label=str(i))
            _draw_panel(axes, panels[i], data, names_x=i + columns >= len(panels), names_y=column == 0)
            _heading(axes, titles[i], notes[i])
        bottom -= _GAP_Y
    _name_values(place, label, _BOTTOM + (drawn - above[0]) / 2)
    if not panels:
        place.axes(0, 0, across, down).set_axis_off()
    return place.figure


def _name_values(place: Frame, label: Sequence[str], middle: float) -> None:
    """Write what all panels have upwards once, beside all rows: beside each, a long name would run into the next."""
    total_width, total_height = place.figure.get_size_inches()
    for i, words in enumerate(label):
        x, y = place.left + (i + 0.5) * _LABEL_LINE, place.bottom + middle
        place.figure.text(x / total_width, y / total_height, words, size=_AXIS, rotation=90, ha="center", va="center")


def _columns(panels: int) -> int:
    return 1 if panels <= 1 else 2 if panels in (2, 4) else 3 if panels in (3, 5, 6, 9) else 4


def _draw_panel(axes: Axes, panel: dict[str, Any], data: dict[str, Any], names_x: bool, names_y: bool) -> None:
    few = {"ticks": 4} if len(data["panels"]) > 1 else {}
    set_axis(axes, "x", panel["x"] | few | ({} if names_x else {"label": ""}))
    set_axis(axes, "y", panel["y"] | few | {"label": ""})
    axes.tick_params(labelbottom=names_x, labelleft=names_y, length=2.5)
    axes.autoscale(False)
    for role in ("zero", "margin", "seed", "diverged", "train", "valid", "mean"):
        lines = [line for line in panel["lines"] if line["role"] == role]
        if role in ("seed", "diverged"):
            _draw_many(axes, lines, STYLES[role])
        else:
            for line in lines:
                _draw_one(axes, line, STYLES[role])
        if role == "diverged":
            _mark_ends(axes, lines)
    if "shaded" in data:
        _shade(axes, panel, data["shaded"])
    if not panel["lines"]:
        axes.text(0.5, 0.5, "nothing measured", transform=axes.transAxes, ha="center", color=GREY, size=8)


def _heading(axes: Axes, title: list[str], note: list[str]) -> None:
    above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
    for i, line in enumerate(reversed(note)):
        axes.annotate(line, (0, 1), xytext=(0, 4 + i * _NOTE_LINE * 72), size=_NOTE, color=GREY, **above)
    over = 4 + len(note) * _NOTE_LINE * 72
    for i, line in enumerate(reversed(title)):
        axes.annotate(line, (0, 1), xytext=(0, over + i * _LINE * 72), size=_LABEL, weight="bold", **above)


def _draw_many(axes: Axes, lines: Sequence[dict[str, Any]], style: dict[str, Any]) -> None:
    """Draw lines as one artist, since an arm may have many seeds."""
    segments = [np.column_stack([np.array(line["x"], dtype=np.float64), numbers(line["y"])]) for line in lines]
    axes.add_collection(LineCollection([s for s in segments if len(s) > 1], capstyle="round", **style))
    for segment in segments:
        if len(segment) == 1:
            axes.plot(*segment.T, "o", ms=3, color=style["color"], alpha=style["alpha"], mec="none")


def _draw_one(axes: Axes, line: dict[str, Any], style: dict[str, Any]) -> None:
    x = np.array(line["x"], dtype=np.float64)
    if line["low"] is not None:
        band = numbers(line["low"]), numbers(line["high"])
        if len(x) > 1:
            axes.fill_between(x, *band, color=style["color"], alpha=0.16, lw=0, zorder=1.5)
        else:
            axes.vlines(x, *band, color=style["color"], lw=1.2, alpha=0.6)
    marker: dict[str, Any] = {"marker": "o", "ms": 3} if len(x) <= 12 else {}
    marker = {"drawstyle": "steps-post"} if line.get("held") else marker
    axes.plot(x, numbers(line["y"]), **style, **marker, zorder=3)


def _mark_ends(axes: Axes, lines: Sequence[dict[str, Any]]) -> None:
    bottom, top = axes.get_ylim()
    for line in lines:
        y = np.clip(numbers(line["y"][-1:]), bottom, top)
        axes.plot(line["x"][-1:], y, "X", ms=6.5, color=COLOURS[1], mec=PAPER, clip_on=False, zorder=4)


def _shade(axes: Axes, panel: dict[str, Any], roles: Sequence[str]) -> None:
    found = [next((line for line in panel["lines"] if line["role"] == role), None) for role in roles]
    if found[0] is None or found[1] is None:
        return
    n = min(len(line["x"]) for line in found if line)
    upper, lower = (numbers(line["y"][:n]) for line in found if line)
    x = np.array(found[0]["x"][:n], dtype=np.float64)
    axes.fill_between(x, upper, lower, color=GREY, alpha=0.12, lw=0, zorder=1)


def _draw_key(place: Frame, key: Sequence[dict[str, str]], down: float) -> None:
    """Draw the key of the kinds of lines, in a row at the top."""
    total_width, total_height = place.figure.get_size_inches()
    y = (place.bottom + down - 0.13) / total_height
    x = place.left
    for one in key:
        ends = [x / total_width, (x + _SWATCH) / total_width]
        swatch = Line2D(ends, [y, y], transform=place.figure.transFigure, **STYLES[one["role"]])
        place.figure.add_artist(swatch)
        x += _SWATCH + _SPACE
        place.figure.text(x / total_width, y, one["label"], size=8.5, color=INK, va="center_baseline")
        x += width(one["label"], 8.5) + 0.22
