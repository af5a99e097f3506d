"""The plot `generalization`: training against validation, and the gap between them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from core.analysis import run_outcomes, summarize
from core.design import Design
from core.metrics import Metric
from core.plots import Plot, plots
from core.plots.drawing.bands import ends
from core.plots.drawing.curves import about_lines, about_stopped, arms_drawn, described, epochs_done, mean_lines, sample
from core.plots.drawing.empty import draw_nothing
from core.plots.drawing.estimates import estimate
from core.plots.drawing.multiples import draw_multiples
from core.plots.drawing.names import short_names
from core.plots.drawing.value_axes import epoch_axis, short_name, value_axis
from core.results import Results


@plots.register(
    formula="mean over seeds of train_accuracy and valid_accuracy by epoch (in regression of R²), with 95 % Student t "
    "bands; gap: the last of the one less the last of the other, run by run",
    source="both are measured in evaluation mode after the epoch, on the whole split; core.analysis.run_outcomes; "
    "bands: Student 1908",
)
def generalization() -> Plot:
    """Training against validation by epoch, one panel an arm, and the gap that is left at the end."""
    return Plot(data, draw, _has_both)


def _has_both(design: Design) -> bool:
    return design.ranks and design.trains_score is not None


def data(results: Results) -> dict[str, Any]:
    arms = arms_drawn(results)
    train, valid = results.design.trains_score, results.design.score
    base = {"plot": "generalization", "title": f"Training against validation: {results.design.name}"}
    if train is None or valid is None:
        why = "No score is measured on both the training and the validation split."
        return base | {"caption": sample(results), "empty": why, "key": [], "panels": []}
    drawn = [
        *mean_lines(results.series(train.name), results, arms, role="train", place=epochs_done),
        *mean_lines(results.series(valid.name), results, arms, role="valid", place=epochs_done),
    ]
    for line in drawn:
        line["raw"] = None
    lines = {i: [line for line in drawn if line["arm"] == i] for i in range(len(arms.labels))}
    outcomes = run_outcomes(results)
    x, y = epoch_axis(drawn), value_axis(lines, valid)
    called = short_names(results.design)
    notes = {one["label"]: one["note"] for one in described(arms, results)}
    caption = [
        sample(results),
        about_lines(drawn, "epoch") if drawn else "",
        f"Gap: training less validation {short_name(valid)} after the last epoch, mean and 95 % interval"
        f"{', in percentage points' if valid.share else ''}.",
        y.pop("note"),
        about_stopped(results),
        arms.note,
    ]
    key = [{"role": "train", "label": "training"}, {"role": "valid", "label": "validation"}]
    return base | {
        "empty": "",
        "caption": " ".join(filter(None, caption)),
        "key": key if drawn else [],
        "shaded": ["train", "valid"],
        "panels": [
            {
                "title": called[label],
                "note": ", ".join(filter(None, [_gap(results, label, outcomes, valid), notes[label]])),
                "x": x,
                "y": y,
                "lines": lines[i],
            }
            for i, label in enumerate(arms.labels)
        ],
    }


def _gap(results: Results, label: str, outcomes: Mapping[int, Mapping[str, float | None]], valid: Metric) -> str:
    gaps = [outcomes[run.id]["generalization_gap"] for run in results.runs if run.arm == label]
    values = np.array([gap for gap in gaps if gap is not None], dtype=np.float64)
    found = summarize(values)
    if found.n == 0:
        return "N = 0"

    unit, decimals = (100, 1) if valid.share else (1, None)
    between = ends(values, found.ci_low, found.ci_high)
    return f"gap {estimate(found.mean, between, unit=unit, decimals=decimals)}, N = {found.n}"


def draw(data: dict[str, Any]) -> Figure:
    """Draw a panel an arm, or say why there is none."""
    return draw_nothing(data) if data["empty"] else draw_multiples(data)
