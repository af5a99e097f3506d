"""The plot `schedule`: learning rates by update."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.analysis import thin
from core.finite import finite_list
from core.plots import Plot, always, plots
from core.plots.drawing.curves import POINTS, sample
from core.plots.drawing.lines import draw_lines
from core.plots.drawing.rate_axes import rate_axis, update_axis
from core.plots.drawing.styles import MOST_ARMS
from core.results import Results, Series

HELD_UP_TO = 300
"""Updates up to which a line is drawn in steps, one held rate an update."""


@plots.register(
    formula="lr by update",
    source="lr[t] is the rate in force during update t, as the trainer recorded it; torch's get_last_lr before step t",
)
def schedule() -> Plot:
    """Learning rate of every update, one line for each schedule; arms that share one share the line."""
    return Plot(data, draw_lines, always)


def data(results: Results) -> dict[str, Any]:
    longest: dict[str, Series] = {}
    series = results.series("lr")
    for one in series:
        if len(one.steps) > (len(longest[one.arm].steps) if one.arm in longest else 0):
            longest[one.arm] = one
    shared = _shared(longest, results)
    groups = shared[:MOST_ARMS]
    lines = [_line(longest[labels[0]], i) for i, labels in enumerate(groups)]
    notes = [
        sample(results),
        f"{len(shared)} different schedule{'' if len(shared) == 1 else 's'}." if shared else "",
        f"Drawn are the first {MOST_ARMS}." if len(shared) > MOST_ARMS else "",
        _about_differing(series, longest),
    ]
    panel = {
        "title": "rate in force during each update",
        "x": update_axis(lines),
        "y": rate_axis(lines),
        "lines": lines,
    }
    return {
        "plot": "schedule",
        "title": f"Learning rate: {results.design.name}",
        "caption": " ".join(filter(None, notes)),
        "arms": [{"label": _joined(labels, len(results.design.arms)), "note": ""} for labels in groups],
        "panels": [panel],
    }


def _about_differing(series: Sequence[Series], longest: dict[str, Series]) -> str:
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


def _line(series: Series, index: int) -> dict[str, Any]:
    at = thin(series.steps, series.values, POINTS)
    y = finite_list(np.asarray(series.values[at], dtype=np.float64))
    return {
        "arm": index,
        "role": "main",
        "seed": None,
        "n": 1,
        "x": series.steps[at].tolist(),
        "y": y,
        "low": None,
        "high": None,
        "raw": None,
        "held": len(series.steps) <= HELD_UP_TO,
    }


def _joined(labels: list[str], arms: int) -> str:
    if len(labels) == arms > 1:
        return f"all {arms} arms"
    if len(labels) > 3:
        return f"{labels[0]}, {labels[1]} and {len(labels) - 2} more"
    return ", ".join(labels)
