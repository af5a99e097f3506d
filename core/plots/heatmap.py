"""The grid of a factorial experiment, each cell with what it came to."""

import math
from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from core.analysis import final_values, summarize
from core.design import Design
from core.finite import finite_or_none
from core.plots import Plot, plots
from core.plots.drawing.curves import Arms, described, sample
from core.plots.drawing.empty import draw_nothing
from core.plots.drawing.frames import HEADING, HEADING_LINE, Frame, frame, plain_number
from core.plots.drawing.styles import FAINT, GREY, INK, PAPER, styled
from core.plots.drawing.text import width, wrap
from core.results import Results

MOST_LEVELS, MOST_PANELS = 24, 24

_LABEL, _NUMBER, _NOTE = 8.5, 9.5, 7.5
_ACROSS, _GAP, _LINE = 10.5, 0.3, 1.3 / 72
_COLOURS = colormaps["cividis"]  # Nuñez, Anderton & Renslow 2018, doi:10.1371/journal.pone.0199239: for every eye
_DARK, _BRIGHT, _SWITCH = "#000000", "#fefefe", 0.178
"""Numbers on a bright and on a dark cell, in both themes, and the luminance at which both have the same contrast."""


@plots.register(
    formula="mean over seeds of the last valid_accuracy (in regression valid_loss) of each cell of the grid",
    source="core.analysis.final_values: runs that diverged or failed are in no mean, and are counted; form: "
    "Wilkinson & Friendly 2009",
)
def heatmap() -> Plot:
    """Cells of a grid of two fields, each with its mean and N; more fields are small multiples."""
    return Plot(data, draw, _is_grid)


def _is_grid(design: Design) -> bool:
    return sum(len(levels) > 1 for levels in (design.grid or {}).values()) > 1


def data(results: Results) -> dict[str, Any]:
    metric = results.design.primary
    arms, grid = results.design.arms, results.design.grid
    base = {"plot": "heatmap", "title": f"Final {metric.label} over the grid: {results.design.name}"}
    if grid is None:
        why = "This experiment has no grid: its arms are a list, and there are no two fields to draw across and down."
        return base | {"caption": sample(results), "empty": why, "panels": []}
    at = {arm.label: [arm.settings[field] for field in grid] for arm in arms}
    levels = [list(dict.fromkeys(at[arm.label][i] for arm in arms)) for i in range(len(grid))]
    fields, two = [*grid], len(grid) > 1
    rows, columns, rest = (levels[0] if two else [""]), levels[1 if two else 0], [*range(2, len(grid))]
    summaries = dict(zip((arm.label for arm in arms), map(summarize, final_values(results, metric.name)), strict=True))
    notes = {one["label"]: one["note"] for one in described(Arms([arm.label for arm in arms], ""), results)}
    panels: dict[str, list[dict[str, Any]]] = {}
    for arm in arms:
        mine = at[arm.label]
        title = ", ".join(f"{fields[i]} = {mine[i]}" for i in rest)
        cell: dict[str, Any] = {
            "row": rows.index(mine[0]) if two else 0,
            "column": columns.index(mine[1 if two else 0]),
        }
        cell |= {"label": arm.label, "n": summaries[arm.label].n, "note": notes[arm.label]}
        panels.setdefault(title, []).append(cell | {"mean": finite_or_none(summaries[arm.label].mean)})
    means = [cell["mean"] for cells in panels.values() for cell in cells if cell["mean"] is not None]
    less = metric.sign < 0
    beyond = [f"{len(part)} {word}" for part, most, word in _parts(rows, columns, panels) if len(part) > most]
    caption = [
        sample(results),
        "In each cell the mean of its runs, and N of them; runs that diverged or failed are in no mean.",
        "Brighter cells are better." if means else "",
        f"Not all is drawn: there are {' and '.join(beyond)}." if beyond else "",
    ]
    return base | {
        "caption": " ".join(filter(None, caption)),
        "empty": "",
        "kind": "share" if metric.share else "number",
        "less_is_better": less,
        "limits": [min(means), max(means)] if means else None,
        "rows": {"field": fields[0] if two else "", "levels": rows[:MOST_LEVELS]},
        "columns": {"field": fields[1 if two else 0], "levels": columns[:MOST_LEVELS]},
        "panels": [
            {"title": title, "cells": [c for c in cells if c["row"] < MOST_LEVELS and c["column"] < MOST_LEVELS]}
            for title, cells in list(panels.items())[:MOST_PANELS]
        ],
    }


def _parts(rows: Any, columns: Any, panels: Any) -> list[tuple[Any, int, str]]:
    return [(rows, MOST_LEVELS, "rows"), (columns, MOST_LEVELS, "columns"), (panels, MOST_PANELS, "panels")]


@styled
def draw(data: dict[str, Any]) -> Figure:
    """Draw the panels; their rows are named at the left, their columns below."""
    if data["empty"]:
        return draw_nothing(data)
    rows, columns, panels = data["rows"], data["columns"], data["panels"]
    wide = 1.25 if len(columns["levels"]) <= 6 else 0.9
    names = [wrap(text, _LABEL, 2.2) if text else [] for text in rows["levels"]]
    high = max(0.62 if len(rows["levels"]) <= 8 else 0.46, max(map(len, names)) * _LABEL * _LINE + 0.08)
    below = [wrap(text, _LABEL, wide - 0.06) for text in columns["levels"]]
    margin = max([width(line, _LABEL) for text in names for line in text], default=0.0) + 0.18
    margin += 0.25 if rows["field"] else 0.0
    foot = max(map(len, below)) * _LABEL * _LINE + 0.34
    panel_wide, panel_high = wide * len(columns["levels"]), high * len(rows["levels"])
    across = max(1, min(len(panels), int((_ACROSS - margin + _GAP) // (panel_wide + _GAP))))
    down = math.ceil(len(panels) / across)
    titles = [wrap(panel["title"], HEADING, panel_wide) if panel["title"] else [] for panel in panels]
    heading = 0.08 + (max(map(len, titles)) * HEADING_LINE + 0.1 if any(titles) else 0.0)
    step = heading + panel_high + foot
    total = margin + across * (panel_wide + _GAP) - _GAP
    place = frame(data["title"], data["caption"], max(6.0, total), down * step)
    for i, panel in enumerate(panels):
        up, right = divmod(i, across)
        left, bottom = margin + right * (panel_wide + _GAP), (down - 1 - up) * step + foot
        axes = _panel(place, panel, data, (left, bottom, panel_wide, panel_high))
        axes.set_title("\n".join(titles[i]))
        for j, text in enumerate(below):
            _lines(axes, text, (j + 0.5, len(rows["levels"])), ha="center", down=True)
        axes.set_xlabel(columns["field"], labelpad=(foot - 0.26) * 72)
        if right == 0:
            for j, text in enumerate(names):
                _lines(axes, text, (0, j + 0.5), ha="right", down=False)
            if rows["field"]:
                axes.set_ylabel(rows["field"], labelpad=(margin - 0.24) * 72)
    return place.figure


def _panel(place: Frame, panel: dict[str, Any], data: dict[str, Any], box: tuple[float, float, float, float]) -> Axes:
    axes = place.axes(*box)
    axes.set_xlim(0, len(data["columns"]["levels"]))
    axes.set_ylim(len(data["rows"]["levels"]), 0)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for cell in panel["cells"]:
        _cell(axes, cell, data)
    return axes


def _cell(axes: Axes, cell: dict[str, Any], data: dict[str, Any]) -> None:
    x, y = cell["column"], cell["row"]
    note = f"N = {cell['n']}"
    if cell["mean"] is None:
        axes.add_patch(Rectangle((x, y), 1, 1, facecolor=PAPER, edgecolor=FAINT, hatch="///", lw=1.5))
        about = wrap(cell["note"] or "no result", _NOTE, 0.84)
        _write(axes, (x + 0.5, y + 0.5), [(line, _NOTE, GREY) for line in about])
        return
    low, high = data["limits"]
    part = Normalize(low, high)(cell["mean"]) if high > low else 0.5
    r, g, b, _ = colour = _COLOURS(1 - part if data["less_is_better"] else part)
    axes.add_patch(Rectangle((x, y), 1, 1, facecolor=colour, edgecolor=PAPER, lw=1.5))
    ink = _DARK if _luminance(r, g, b) > _SWITCH else _BRIGHT
    mean = f"{100 * cell['mean']:.1f} %" if data["kind"] == "share" else plain_number(cell["mean"], 3)
    _write(axes, (x + 0.5, y + 0.5), [(mean, _NUMBER, ink), (note, _NOTE, ink)])


def _luminance(*rgb: float) -> float:
    """Return a colour's relative luminance (WCAG 2.2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _write(axes: Axes, at: tuple[float, float], lines: list[tuple[str, float, str]]) -> None:
    """Write lines below each other about the point `at`."""
    up = (len(lines) - 1) * 5.5
    for i, (text, size, colour) in enumerate(lines):
        axes.annotate(
            text,
            at,
            xytext=(0, up - i * 11),
            textcoords="offset points",
            ha="center",
            va="center",
            size=size,
            color=colour,
        )


def _lines(axes: Axes, text: list[str], at: tuple[float, float], ha: str, down: bool) -> None:
    """Write names beside the cells: to the left of a row, or below a column."""
    step = _LABEL * 1.3
    for i, line in enumerate(text):
        offset = (0, -4 - (i + 0.5) * step) if down else (-6, ((len(text) - 1) / 2 - i) * step)
        axes.annotate(
            line,
            at,
            xytext=offset,
            textcoords="offset points",
            ha=ha,
            va="center",
            size=_LABEL,
            color=INK,
            annotation_clip=False,
        )
