"""The accuracy after every epoch."""

from typing import Any

from core.datasets import epoch_metrics
from core.plots import Plot, plots
from core.plots.drawing.curves import about_lines, about_stopped, arms_drawn, described, extent, mean_lines, sample
from core.plots.drawing.frames import padded
from core.plots.drawing.lines import draw_lines
from core.plots.drawing.styles import COLOURS
from core.results import Results

SHARE: dict[str, Any] = {"label": "accuracy (% of examples)", "kind": "share", "lowest": 0.0}
R2: dict[str, Any] = {"label": "R² (1: all of the variance explained; 0: none)", "kind": "number", "lowest": -1.0}
"""`lowest` is where the axis ends: a network that explains less than nothing may do so without bound."""


@plots.register(
    formula="mean over seeds of valid_accuracy (and, dashed, of train_accuracy) by epoch, with 95 % Student t bands; "
    "in regression R², 1 - squared error / variance",
    source="both are measured in evaluation mode after the epoch, on the whole split",
)
def accuracy() -> Plot:
    """Validation accuracy (in regression R²) after every epoch, one line an arm, with that of the training split."""
    return Plot(data, draw_lines)


def data(results: Results) -> dict[str, Any]:
    arms = arms_drawn(results)
    train, _, valid = epoch_metrics(results.task)
    lines = mean_lines(results.series(valid), results, arms)
    few = len(arms.labels) <= len(COLOURS)
    training = mean_lines(results.series(train), results, arms, role="second") if few else []
    for line in training:
        line["low"] = line["high"] = line["raw"] = None
    found = extent([*lines, *training])
    last = max([line["x"][-1] for line in lines], default=1)
    title, y = ("R²", R2) if results.task == "regression" else ("Accuracy", SHARE)
    below = found is not None and found[0] < y["lowest"]
    notes = [
        sample(results),
        "Solid: validation; dashed, thin: training." if few else "Validation only.",
        about_lines(lines, "epoch"),
        about_stopped(results),
        f"Values below {y['lowest']:g} lie below the picture." if below else "",
        arms.note,
    ]
    limits = padded(max(found[0], y["lowest"]), found[2]) if found else (0.0, 1.0)
    panel = {
        "title": "after each epoch, in evaluation mode",
        "x": {"label": "epoch (from 0)", "scale": "linear", "kind": "count", "limits": padded(0, last, 0.015)},
        "y": {"label": y["label"], "scale": "linear", "kind": y["kind"], "limits": limits},
        "lines": [*lines, *training],
    }
    return {
        "plot": "accuracy",
        "title": f"{title}: {results.spec.name}",
        "caption": " ".join(filter(None, notes)),
        "arms": described(arms, results),
        "panels": [panel],
    }
