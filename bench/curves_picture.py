"""The cost curves as one picture: time above, memory below, one column for what is varied."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from core.plots import render
from core.plots.drawing.styles import COLOURS, DPI, GREY, styled

Rows = Sequence[Mapping[str, Any]]
KINDS = (("ms", "time per update and run (ms)"), ("mib", "peak memory (MiB)"))
LINES = (("lanes", "lanes, all runs at once", COLOURS[0], "o"), ("loop", "plain loop, one run", COLOURS[1], "s"))
_SUFFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


@styled
def picture(curves: Mapping[str, Rows], titles: Mapping[str, str], machine: str) -> bytes:
    """A PNG of the curves, by name in `titles`, as bench/curves.py measures them on `machine`."""
    figure = Figure(figsize=(11, 6.6), dpi=DPI)
    grid = figure.subplots(2, len(curves), sharex="col", sharey="row")
    figure.subplots_adjust(left=0.065, right=0.985, top=0.885, bottom=0.17, wspace=0.08, hspace=0.1)
    for column, (name, rows) in enumerate(curves.items()):
        for (kind, label), axes in zip(KINDS, grid[:, column], strict=True):
            _draw(axes, name, kind, rows)
            if column == 0:
                axes.set_ylabel(label)
        grid[0, column].set_title(titles[name].partition(": ")[2])
        grid[1, column].set_xlabel(f"{name} (count)")
    _label(grid[0, 0], grid[1, 0], curves[next(iter(curves))])
    figure.text(0.065, 0.955, "What one run costs: trained as lanes, and by the plain loop", size=12)
    points = sum(len(rows) for rows in curves.values())
    lines = (
        f"N = {points} points, each in a fresh process: whole trainings by Adam, batch 100, dropout 0.2, with initial "
        "weights and the evaluation of both splits after every epoch.",
        "Memory is what was added to the process: data, weights, optimizer and all values between, of all lanes, or "
        "of one run. All axes are logarithmic.",
        machine,
    )
    for i, line in enumerate(lines):
        figure.text(0.065, 0.075 - 0.028 * i, line, size=8.5, color=GREY)
    return render(figure, "png")


def _draw(axes: Axes, name: str, kind: str, rows: Rows) -> None:
    xs = [row[name] for row in rows]
    for line, _, colour, marker in LINES:
        axes.plot(xs, [row[f"{line}_{kind}"] for row in rows], color=colour, marker=marker, markersize=4, linewidth=1.5)
    axes.set_xscale("log", base=2 if name == "lanes" else 10)
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(_short))
        axis.set_minor_formatter(NullFormatter())
    if name == "lanes":
        axes.set_xticks(xs)
    axes.margins(y=0.1)
    axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))


def _label(above: Axes, below: Axes, rows: Rows) -> None:
    """Name the first column's lines: of the time in the corner that they leave free, of the memory beside them."""
    for i, (_, text, colour, _) in enumerate(LINES):
        above.text(0.95, 0.93 - 0.08 * i, text, transform=above.transAxes, ha="right", va="top", color=colour)
    for (line, text, colour, _), at, offset in zip(LINES, (-3, -1), ((-8, 2), (0, 8)), strict=True):
        point = (rows[at]["lanes"], rows[at][f"{line}_mib"])
        below.annotate(text, point, offset, textcoords="offset points", ha="right", va="bottom", color=colour)


def _short(value: float, _position: int) -> str:
    for size, suffix in _SUFFIXES:
        if value >= size:
            return f"{value / size:g}{suffix}"
    return f"{value:g}"
