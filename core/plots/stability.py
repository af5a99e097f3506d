"""The plot `stability`: the spread of an arm's runs, and the jumps of each run between epochs."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from core.analysis import run_outcomes, summarize, thin
from core.finite import finite_list
from core.plots import Plot, plots
from core.plots.drawing.bands import ends
from core.plots.drawing.curves import Place, about_stopped, arms_drawn, described, mean_lines, sample
from core.plots.drawing.estimates import estimate
from core.plots.drawing.multiples import draw_multiples
from core.plots.drawing.names import short_names
from core.plots.drawing.progress_axes import course
from core.plots.drawing.value_axes import short_name, value_axis
from core.results import Results, Series

MOST_SEEDS = 100
"""Runs of one arm that are drawn."""
MOST_POINTS = 40_000
"""Points of all runs together; each has 50 at least."""


@plots.register(
    formula="the validation metric of every run by epoch, and the mean over an arm's seeds; jump: the root mean square "
    "of its changes from epoch to epoch less the trend",
    source="measured in evaluation mode after each epoch, on the whole validation split; core.analysis.run_outcomes; "
    "trend: isotonic regression, Barlow et al. 1972",
)
def stability() -> Plot:
    """Every seed of each arm by epoch, one panel an arm: how far the runs lie apart, and how jumpy each is."""
    return Plot(data, draw_multiples)


def data(results: Results) -> dict[str, Any]:
    metric = results.design.curve
    arms, way = arms_drawn(results), course(results, metric)
    series = [one for one in results.series(metric.name) if one.arm in arms.labels]
    lines: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for line in mean_lines(series, results, arms, role="mean", place=way.place):
        if line["n"] > 1:
            lines[line["arm"]].append(line | {"low": None, "high": None, "raw": None})
    diverged = {run.id for run in results.runs if run.outcome == "diverged"}
    left_out = 0
    most = max(50, MOST_POINTS // max(1, len(series)))
    for i, label in enumerate(arms.labels):
        mine = [one for one in series if one.arm == label and len(one.steps)]
        left_out += max(0, len(mine) - MOST_SEEDS)
        for one in mine[:MOST_SEEDS]:
            lines[i] += _line(one, i, "diverged" if one.run_id in diverged else "seed", most, way.place)
    outcomes = run_outcomes(results)
    score = results.design.score
    what = (
        "the score"
        if score is None
        else f"the {short_name(score)} (in percentage points)"
        if score.share
        else short_name(score)
    )
    drawn = [line for part in lines.values() for line in part]
    x, y = way.axis(drawn), value_axis(lines, metric)
    called = short_names(results.design)
    notes = {one["label"]: one["note"] for one in described(arms, results)}
    caption = [
        sample(results),
        f"Jump: how much {what} goes up and down from epoch to epoch beside its trend (root mean square): mean over "
        "the runs and 95 % interval."
        if any(outcome["stability"] is not None for outcome in outcomes.values())
        else "",
        "Thick: mean over the runs that did not diverge." if any(line["role"] == "mean" for line in drawn) else "",
        "X: a run diverged." if any(line["role"] == "diverged" for line in drawn) else "",
        f"Not drawn: {left_out:,} runs beyond the first {MOST_SEEDS} of an arm." if left_out else "",
        y.pop("note"),
        about_stopped(results),
        arms.note,
    ]
    roles = {line["role"] for line in drawn}
    names = (("seed", "one run (a seed)"), ("mean", "mean of the runs"), ("diverged", "diverged"))
    return {
        "plot": "stability",
        "title": f"{metric.label.capitalize()} of every run: {results.design.name}",
        "caption": " ".join(filter(None, caption)),
        "key": [{"role": role, "label": label} for role, label in names if role in roles],
        "panels": [
            {
                "title": called[label],
                "note": ", ".join(
                    filter(None, [f"N = {_runs(lines[i])}", _jumps(results, label, outcomes), notes[label]])
                ),
                "x": x,
                "y": y,
                "lines": lines[i],
            }
            for i, label in enumerate(arms.labels)
        ],
    }


def _line(one: Series, arm: int, role: str, most: int, place: Place) -> list[dict[str, Any]]:
    steps, values = one.steps, one.values
    finite = np.flatnonzero(np.isfinite(values))
    if not len(finite):
        return []
    steps, values = steps[: finite[-1] + 1], values[: finite[-1] + 1]
    at = thin(steps, values, most)
    x = place(one.arm, steps[at]).tolist()
    shape = {"x": x, "y": finite_list(values[at]), "low": None, "high": None, "raw": None}
    return [{"arm": arm, "role": role, "seed": one.seed, "n": 1} | shape]


def _runs(lines: list[dict[str, Any]]) -> int:
    return sum(line["role"] in ("seed", "diverged") for line in lines)


def _jumps(results: Results, label: str, outcomes: Mapping[int, Mapping[str, float | None]]) -> str:
    """Return the mean over the runs' `stability`, and its interval."""
    found = [outcomes[run.id]["stability"] for run in results.runs if run.arm == label]
    values = np.array([v for v in found if v is not None], dtype=np.float64)
    jumps = summarize(values)
    if jumps.n == 0:
        return ""
    share = results.design.score is not None and results.design.score.share

    unit, decimals = (100, 1) if share else (1, None)
    between = ends(values, jumps.ci_low, jumps.ci_high, (0.0, np.inf))
    return f"jump {estimate(jumps.mean, between, unit=unit, decimals=decimals)}"
