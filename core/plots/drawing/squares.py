"""Square panels: matrices of confusions, curves of rates, and confidences against what came true."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from core.plots.drawing.frames import frame, numbers, set_axis
from core.plots.drawing.styles import COLOURS, FAINT, GREY
from core.plots.drawing.text import fitted, width, wrap

Panel = dict[str, Any]
Draw = Callable[[Axes, Panel, float], None]
"""Draws a panel into axes that are so many inches wide and high."""

SIZES = {1: 5.4, 2: 4.4, 3: 3.4, 4: 2.7}
"""Inches of a panel by the number of columns."""
LABEL, NOTE = 9.5, 7.5
_TICK, _WIDEST = 8.0, 1.3
LEAST = 5.0
"""Points of the smallest text in a cell; smaller cells have none."""
_GAP_X, _GAP_Y, _RIGHT, _BOTTOM = 0.34, 0.26, 0.14, 0.55
_LINE = LABEL * 1.25 / 72
_SHARES = colormaps["cividis"]  # Nuñez, Anderton & Renslow 2018, doi:10.1371/journal.pone.0199239: for every eye
_NORM = PowerNorm(0.5, 0.0, 1.0)
"""Colours by the root of a share: a few percent can be told from none."""
_DARK, _BRIGHT = "#101010", "#fdfdfd"
"""Text on bright and on dark cells, in either theme."""


def draw_squares(data: dict[str, Any], draw: Draw) -> Figure:
    """Draw `panels`, each with a `title` and a `note`; for a drawing that is `styled`."""
    panels = data["panels"]
    columns = _columns(len(panels))
    rows = math.ceil(len(panels) / columns)
    size = SIZES[columns]
    left, below = margins(panels, size) if draw is draw_confusion else (0.75, 0.0)
    titles = [wrap(panel["title"], LABEL * 1.1, size) for panel in panels]
    notes = max(len(wrap(panel["note"], NOTE, size)) for panel in panels)
    above = 0.14 + notes * NOTE * 1.3 / 72 + _LINE * max(map(len, titles))
    wide, high = left + size + _GAP_X, above + size + _BOTTOM + below + _GAP_Y
    caption = " ".join(filter(None, [data["caption"], whole_names(panels, size) if draw is draw_confusion else ""]))
    place = frame(data["title"], caption, columns * wide - _GAP_X + _RIGHT, rows * high - _GAP_Y)
    for i, panel in enumerate(panels):
        row, column = divmod(i, columns)
        bottom = (rows - 1 - row) * high + _BOTTOM + below
        axes = place.axes(column * wide + left, bottom, size, size, label=str(i))
        draw(axes, panel, size)
        head(axes, titles[i], panel["note"], size)
    return place.figure


def _columns(panels: int) -> int:
    return 1 if panels == 1 else 2 if panels in (2, 4) else 3 if panels in (3, 5, 6, 9) else 4


def head(axes: Axes, title: Sequence[str], note: str, size: float) -> None:
    """Write a title and a note of two lines above a panel."""
    above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
    notes = wrap(note, NOTE, size)
    for i, line in enumerate(reversed(notes)):
        axes.annotate(line, (0, 1), xytext=(0, 5 + i * NOTE * 1.3), size=NOTE, color=GREY, **above)
    over = 8 + len(notes) * NOTE * 1.3
    for i, line in enumerate(reversed(title)):
        axes.annotate(line, (0, 1), xytext=(0, over + i * _LINE * 72), size=LABEL, weight="bold", **above)


def draw_confusion(axes: Axes, panel: Panel, size: float) -> None:
    """Draw a matrix: a row a class, a column what it was named, the shares of a row in percent with counts below."""
    classes = panel["classes"]
    axes.grid(visible=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if not classes:
        say_nothing(axes)
        return
    n = len(classes)
    shares = np.array([numbers(row) for row in panel["share"]])
    axes.imshow(np.nan_to_num(shares), cmap=_SHARES, norm=_NORM, aspect="auto", interpolation="nearest")
    cell = size / n
    _write_cells(axes, panel, cell)
    _name_classes(axes, classes, cell)
    axes.set_xlabel("predicted class", size=8.5)
    axes.set_ylabel("true class", size=8.5)
    axes.tick_params(length=0, pad=3)


def _write_cells(axes: Axes, panel: Panel, cell: float) -> None:
    shares, counts = panel["share"], panel["count"]
    n = len(shares)
    ends = (panel["low"], panel["high"]) if n <= 4 and panel["low"] is not None else None
    texts = [[_cell(shares[i][j], counts[i][j], ends and (ends[0][i][j], ends[1][i][j]), n) for j in range(n)]
             for i in range(n)]  # fmt: skip
    widest = max((width(line, 1.0) for row in texts for text in row for line in text), default=0.0)
    lines = max((len(text) for row in texts for text in row), default=1)
    if not widest:
        return
    points = min(13.0, 0.86 * cell / widest, 0.8 * cell * 72 / (1.3 * lines))
    if points < LEAST:
        if lines == 1:
            return
        texts = [[text[:1] for text in row] for row in texts]
        widest = max(width(text[0], 1.0) for row in texts for text in row if text)
        points = min(9.0, 0.86 * cell / widest, 0.8 * cell * 72 / 1.3)
        if points < LEAST:
            return
    for i in range(n):
        for j in range(n):
            colour = _DARK if _NORM(shares[i][j] or 0.0) > 0.55 else _BRIGHT
            text = "\n".join(texts[i][j])
            axes.text(j, i, text, size=points, color=colour, ha="center", va="center", linespacing=1.25)


def _cell(share: float | None, count: float, ends: tuple[float, float] | None, n: int) -> list[str]:
    """Return the lines of a cell: its share in percent, its interval where there is room, its mean count."""
    if share is None or count == 0:
        return []
    digits = 1 if n <= 5 else 0
    percent = f"{100 * share:.{digits}f}"
    percent = f"<{10.0**-digits:g}" if float(percent) == 0 else percent
    interval = [] if ends is None else [f"{100 * ends[0]:.1f} to {100 * ends[1]:.1f}"]
    written = f"{count:,.0f}" if count >= 10 or count == int(count) else f"{count:.1f}"
    return [f"{percent} %" if n <= 5 else percent, *interval, written]


def _name_classes(axes: Axes, classes: Sequence[str], cell: float) -> None:
    """Name rows and columns: all classes where there is room, else every so many."""
    at, shown, turned = _ticks(classes, cell)
    axes.set_yticks(at, shown, size=_TICK)
    axes.set_xticks(at, shown, size=_TICK, rotation=90 if turned else 0)


def _ticks(classes: Sequence[str], cell: float) -> tuple[list[int], list[str], bool]:
    """Return the classes that are named, their names, and whether those below a column are turned."""
    every = max(1, math.ceil(_TICK * 1.25 / 72 / cell))
    at = list(range(0, len(classes), every))
    shown, _ = fitted([classes[i] for i in at], _TICK, _WIDEST)
    return at, shown, max(width(name, _TICK) for name in shown) + 0.06 > cell * every


def whole_names(panels: Sequence[Panel], size: float) -> str:
    """Return the caption's sentence with the classes whose names are too long beside matrices of this size."""
    told = dict.fromkeys(
        fitted(
            [panel["classes"][i] for i in _ticks(panel["classes"], size / len(panel["classes"]))[0]], _TICK, _WIDEST
        )[1]
        for panel in panels
        if panel["classes"]
    )
    return " ".join(filter(None, told))


def margins(panels: Sequence[Panel], size: float) -> tuple[float, float]:
    """Return the inches that the names of classes take left of matrices of this size, and below them."""
    left, below = 0.0, 0.0
    for panel in panels:
        if panel["classes"]:
            _, shown, turned = _ticks(panel["classes"], size / len(panel["classes"]))
            widest = max(width(name, _TICK) for name in shown)
            left, below = max(left, widest), max(below, widest if turned else 0.0)
    return 0.36 + left, below


def draw_curves(axes: Axes, panel: Panel, _size: float) -> None:
    """Draw curves of rates: each class faint, their mean with its band above them, and what a guess comes to."""
    square(axes, panel["x"], panel["y"])
    if not panel["lines"]:
        say_nothing(axes)
        return
    if panel["kind"] == "roc":
        axes.plot([0, 1], [0, 1], color=GREY, lw=0.9, ls=(0, (4, 2)), zorder=1)
    elif panel["base"] is not None:
        axes.plot([0, 1], [panel["base"]] * 2, color=GREY, lw=0.9, ls=(0, (4, 2)), zorder=1)
    for line in panel["lines"]:
        x, y = np.array(line["x"]), numbers(line["y"])
        if panel["kind"] == "roc":  # from the origin, where no threshold is low enough
            x, y = np.append(0.0, x), np.append(0.0, y)
        if line["role"] == "class":
            axes.plot(x, y, color=COLOURS[5], lw=0.8, alpha=0.75, zorder=2)
            continue
        if line["low"] is not None:
            band = numbers(line["low"]), numbers(line["high"])
            axes.fill_between(line["x"], *band, color=COLOURS[0], alpha=0.22, lw=0, zorder=3)
        axes.plot(x, y, color=COLOURS[0], lw=2.0, zorder=4)


def draw_reliability(axes: Axes, panel: Panel, _size: float) -> None:
    """Draw what came true against how sure the model was; bars below are the examples at each confidence."""
    square(axes, panel["x"], panel["y"])
    rows = panel["levels"]
    if not rows:
        say_nothing(axes)
        return
    axes.plot([0, 1], [0, 1], color=GREY, lw=0.9, ls=(0, (4, 2)), zorder=1)
    x, y = np.array([row["confidence"] for row in rows]), np.array([row["right"] for row in rows])
    largest = max(row["share"] for row in rows)
    heights = [0.22 * row["share"] / largest for row in rows]
    axes.bar(x, heights, width=0.045, color=FAINT, lw=0, zorder=0.5)
    known = [row for row in rows if row["low"] is not None]
    axes.vlines(
        [row["confidence"] for row in known], [row["low"] for row in known], [row["high"] for row in known],
        color=COLOURS[0], lw=1.4, alpha=0.7, zorder=3,
    )  # fmt: skip
    axes.plot(x, y, color=COLOURS[0], lw=1.3, alpha=0.6, zorder=3)
    many = np.array([row["share"] for row in rows]) >= 0.01
    for chosen, face in ((many, COLOURS[0]), (~many, "none")):
        axes.plot(x[chosen], y[chosen], "o", ms=5.5, mfc=face, mec=COLOURS[0], mew=1.2, zorder=4)


def square(axes: Axes, x: dict[str, Any], y: dict[str, Any]) -> None:
    """Set both axes, from nothing to all."""
    set_axis(axes, "x", x)
    set_axis(axes, "y", y)
    axes.autoscale(False)


def say_nothing(axes: Axes) -> None:
    """Say in a panel that there is nothing to draw."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(0.5, 0.5, "nothing stored", transform=axes.transAxes, ha="center", color=GREY, size=8)
