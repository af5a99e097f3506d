"""The plot `convergence`: the arms' best values so far, and the time to reach them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.analysis import run_outcomes, summarize
from core.finite import finite_or_none
from core.metrics import Metric
from core.plots import Plot, plots
from core.plots.drawing.bands import ends
from core.plots.drawing.curves import (
    about_lines,
    about_stopped,
    arms_drawn,
    described,
    epochs_done,
    mean_lines,
    sample,
    where_measured,
)
from core.plots.drawing.frames import padded, plain_number
from core.plots.drawing.lines import draw_lines
from core.plots.drawing.rate_axes import update_axis
from core.plots.drawing.value_axes import epoch_axis, short_name, value_axis
from core.results import Results, Series


@plots.register(
    formula="best validation metric so far, mean over seeds with 95 % Student t band; beside it each run's "
    "steps_to_target, where the spec has a target, else its epochs_to_converge",
    source="core.analysis.run_outcomes: a run that never got there has no time, and is counted; bands: Student 1908",
)
def convergence() -> Plot:
    """Best value so far by update, and how long each arm took: to the target, or until it changed little."""
    return Plot(data, draw_lines)


def data(results: Results) -> dict[str, Any]:
    metric = results.design.curve
    arms = arms_drawn(results)
    best = best_so_far(results, metric)
    by_epoch = metric.per == "epoch" and not results.design.knows_epochs
    ends_at = epochs_done if by_epoch else results.last_update if metric.per == "epoch" else where_measured
    lines = mean_lines(best, results, arms, place=ends_at)
    for line in lines:
        line["raw"] = None
    y = value_axis({0: lines}, metric)
    what = "steps_to_target" if results.design.target is not None else "epochs_to_converge"
    beside = _beside(results, arms.labels, what)
    caption = [
        sample(results),
        about_lines(lines, metric.per) if lines else "",
        f"Right: {_about(results, what)}; faint a run, in front mean and 95 % interval of those that did.",
        y.pop("note"),
        about_stopped(results),
        arms.note,
    ]
    panel = {
        "title": f"best {metric.label} so far",
        "x": epoch_axis({0: lines}) if by_epoch else update_axis(lines),
        "y": y | {"label": y["label"].replace(short_name(metric), f"best {short_name(metric)}", 1)},
        "lines": lines,
    }
    return {
        "plot": "convergence",
        "title": f"Convergence: {results.design.name}",
        "caption": " ".join(filter(None, caption)),
        "arms": described(arms, results),
        "panels": [panel],
        "beside": beside,
    }


def best_so_far(results: Results, metric: Metric) -> list[Series]:
    """Return each run's best value up to each epoch."""
    better = np.fmin if metric.sign < 0 else np.fmax
    return [one._replace(values=better.accumulate(one.values)) for one in results.series(metric.name) if len(one.steps)]


def _beside(results: Results, labels: Sequence[str], what: str) -> dict[str, Any]:
    outcomes = run_outcomes(results)
    rows: list[dict[str, Any]] = []
    for i, label in enumerate(labels):
        runs = [run for run in results.runs if run.arm == label and run.status == "succeeded"]
        times = np.array([_number(outcomes[run.id].get(what)) for run in runs], dtype=np.float64)
        found = summarize(times)
        low, high = ends(times, found.ci_low, found.ci_high, (0.0, np.inf))
        note = f"{found.n} of {len(runs)}" if found.n < len(runs) else f"N = {found.n}"
        row = {
            "arm": i,
            "values": [finite_or_none(v) for v in times.tolist()],
            "mean": finite_or_none(found.mean),
            "ci_low": low,
            "ci_high": high,
        }
        rows.append(row | {"n": found.n, "note": note})
    known = [v for row in rows for v in [*row["values"], row["ci_low"], row["ci_high"]] if v is not None]
    to_target, steps = what == "steps_to_target", what == "steps_to_target" and results.design.knows_epochs
    unit = "updates" if steps else "epochs"
    limits = padded(0.0, max(known), 0.06) if known else (0.0, 1.0)
    return {
        "title": f"{unit} to the target" if to_target else "epochs to converge",
        "x": {
            "label": unit,
            "scale": "linear",
            "kind": "count",
            "limits": limits,
            "values": known,
        },
        "rows": rows,
    }


def _about(results: Results, what: str) -> str:
    if results.design.target is not None and what == "steps_to_target":
        target = results.design.target
        metric = results.design.metrics[target.metric]
        value = f"{100 * target.value:g} %" if metric.share else plain_number(target.value)
        unit = "updates" if results.design.knows_epochs else "epochs"
        return f"{unit} until {metric.label} reached {value}, at an epoch's end"
    score = results.design.score
    return f"epochs until the {score.label if score else 'score'} had come 95 % of the way to its plateau"


def _number(value: float | None) -> float:
    return np.nan if value is None else value
