"""The plot `schedule`: learning rates by update."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from core.analysis import thin
from core.design import Design
from core.finite import finite_list
from core.plots import Plot, plots
from core.plots.drawing.curves import POINTS, sample
from core.plots.drawing.lines import draw_lines
from core.plots.drawing.multiples import draw_multiples
from core.plots.drawing.names import in_full, joined, short_names, together
from core.plots.drawing.rate_axes import rate_axis, update_axis
from core.plots.drawing.styles import MOST_ARMS
from core.results import Results, Series

TOGETHER = 6
"""The most curves on one axis: more stand each in a panel of its own."""
HELD_UP_TO = 300
"""Updates up to which a line is drawn in steps, one held rate an update."""


@plots.register(
    formula="lr by update",
    source="lr[t] is the rate in force during update t, as the trainer recorded it; torch's get_last_lr before step t",
)
def schedule() -> Plot:
    """Learning rate of every update, one line for each schedule; arms that share one share the line."""
    return Plot(data, draw, lambda design: design.trained_here or "lr" in design.metrics)


def data(results: Results) -> dict[str, Any]:
    longest: dict[str, Series] = {}
    for one in results.series("lr"):
        if len(one.steps) > (len(longest[one.arm].steps) if one.arm in longest else 0):
            longest[one.arm] = one
    shared = _shared(longest, results)
    groups = shared[:MOST_ARMS]
    apart = len(groups) > TOGETHER
    lines = [_line(longest[labels[0]], i, "mean" if apart else "main") for i, labels in enumerate(groups)]
    names = short_names(results.design)
    members = [together(results.design, labels, names) for labels in groups]
    called = [joined(one, len(results.design.arms)) for one in members]
    distinct = len(groups) > 1
    told = [_told(results.design, labels[0]) for labels in groups]
    notes = [
        sample(results),
        f"{len(shared)} different schedules." if len(shared) > 1 else "",
        f"Drawn are the first {MOST_ARMS}." if len(shared) > MOST_ARMS else "",
        _about_differing(results.series("lr"), longest),
        in_full(members) if len(groups) > 1 else "",
    ]
    axes = {"x": update_axis(lines), "y": rate_axis(lines)}
    base = {
        "plot": "schedule",
        "title": f"Learning rate: {results.design.name}",
        "caption": " ".join(filter(None, notes)),
        "arms": [
            {"label": name, "note": note if note != name and distinct else ""}
            for name, note in zip(called, told, strict=True)
        ],
    }
    if apart:
        panels = [
            {"title": name, "note": note if note != name else "", **axes, "lines": [line]}
            for name, note, line in zip(called, told, lines, strict=True)
        ]
        return base | {"key": [], "panels": panels}
    return base | {"panels": [{"title": "rate in force during each update", **axes, "lines": lines}]}


def draw(data: dict[str, Any]) -> Figure:
    """Draw all curves on one axis, or where they are many each by itself, on the same axes."""
    return draw_multiples(data) if "key" in data else draw_lines(data)


def _told(design: Design, label: str) -> str:
    """Return an arm's schedule with its parameters, in words; empty where initlab does not train it."""
    mine = design.arm(label).settings.get("schedule")
    return mine or next((words for title, words in design.described if title == "Schedule" and words), "")


def _about_differing(series: Iterable[Series], longest: dict[str, Series]) -> str:
    """Return the caption's note on arms whose runs differ in rates, as schedules may answer to each run's metric."""
    drawn = {
        one.arm: longest[one.arm].seed
        for one in series
        if not np.array_equal(one.values, longest[one.arm].values[: len(one.values)])
    }
    return "".join(f"The rates of {arm} differ by run: drawn are those of seed {seed}. " for arm, seed in drawn.items())


def _shared(longest: dict[str, Series], results: Results) -> list[list[str]]:
    """Return groups of arms with the same rates, in the spec's order; a run cut short joins a curve it begins."""
    completed = {run.id for run in results.runs if run.outcome == "completed"}
    curves: dict[bytes, list[str]] = {}
    labels = [label for label in results.design.labels if label in longest]
    for label in sorted(labels, key=lambda label: (longest[label].run_id not in completed, -len(longest[label].steps))):
        rates = longest[label].values.tobytes()
        if longest[label].run_id not in completed:
            rates = next((curve for curve in curves if curve.startswith(rates)), rates)
        curves.setdefault(rates, []).append(label)
    at = {label: i for i, label in enumerate(labels)}
    return sorted([sorted(group, key=at.__getitem__) for group in curves.values()], key=lambda group: at[group[0]])


def _line(series: Series, index: int, role: str) -> dict[str, Any]:
    at = thin(series.steps, series.values, POINTS)
    y = finite_list(np.asarray(series.values[at], dtype=np.float64))
    return {
        "arm": index,
        "role": role,
        "seed": None,
        "n": 1,
        "x": series.steps[at].tolist(),
        "y": y,
        "low": None,
        "high": None,
        "raw": None,
        "held": len(series.steps) <= HELD_UP_TO,
    }
