"""A row for each arm beside the lines: the runs' values, their mean and its interval."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from core.plots.drawing.frames import numbers, set_axis
from core.plots.drawing.styles import COLOURS, GREY, INK, RULE

NOTE = 7.0
"""Font size of notes, in points."""


def draw_beside(axes: Axes, beside: dict[str, Any], heights: Mapping[int, float]) -> None:
    """Draw `rows`, each of an `arm`, at that arm's height (a part of the axes'): `values`, `mean`, `ci_low`, `ci_high`,
    and a `note` at the right."""
    axes.set_title(beside["title"])
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    set_axis(axes, "x", beside["x"])
    axes.autoscale(False)
    for row in beside["rows"]:
        _row(axes, row, heights[row["arm"]])


def _row(axes: Axes, row: dict[str, Any], at: float) -> None:
    axes.axhline(at, color=RULE, lw=0.7, zorder=0)
    colour = COLOURS[row["arm"] % len(COLOURS)]
    x = numbers(row["values"])
    alone = np.isfinite(x).sum() == 1
    axes.plot(x, np.full(len(x), at), "o", ms=3.8, color=colour, alpha=1.0 if alone else 0.35, mec="none", zorder=2)
    if row["ci_low"] is not None:
        axes.plot([row["ci_low"], row["ci_high"]], [at, at], color=INK, lw=1.6, zorder=3, solid_capstyle="butt")
    if row["mean"] is not None and not alone:
        axes.plot([row["mean"]], [at], "o", ms=5.5, color=colour, mec=INK, mew=1.1, zorder=4)
    axes.annotate(
        row["note"],
        (1, at),
        xycoords=axes.get_yaxis_transform(),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        size=NOTE,
        color=GREY,
    )
