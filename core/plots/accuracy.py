"""The accuracy after every epoch."""

from typing import Any

from core.plots import Plot, plots
from core.plots._curves import about_lines, arms_drawn, described, extent, mean_lines, sample
from core.plots._frame import padded
from core.plots._lines import draw_lines
from core.plots._style import COLOURS
from core.results import Results


@plots.register(
    formula="mean over seeds of valid_accuracy (and, dashed, of train_accuracy) by epoch, with 95 % Student t bands",
    source="both are measured in evaluation mode after the epoch, on the whole split",
)
def accuracy() -> Plot:
    """Validation accuracy after every epoch, one line an arm, with the training accuracy beside it."""
    return Plot(data, draw_lines)


def data(results: Results) -> dict[str, Any]:
    arms = arms_drawn(results)
    lines = mean_lines(results.series("valid_accuracy"), results, arms)
    few = len(arms.labels) <= len(COLOURS)
    training = mean_lines(results.series("train_accuracy"), results, arms, role="second") if few else []
    for line in training:
        line["low"] = line["high"] = line["raw"] = None
    found = extent([*lines, *training])
    last = max([line["x"][-1] for line in lines], default=1)
    notes = [
        sample(results),
        "Solid: validation; dashed, thin: training." if few else "Validation only.",
        about_lines(lines, "epoch"),
        arms.note,
    ]
    limits = padded(found[0], found[2]) if found else (0.0, 1.0)
    panel = {
        "title": "after each epoch, in evaluation mode",
        "x": {"label": "epoch (from 0)", "scale": "linear", "kind": "count", "limits": padded(0, last, 0.015)},
        "y": {"label": "accuracy (% of examples)", "scale": "linear", "kind": "share", "limits": limits},
        "lines": [*lines, *training],
    }
    return {
        "plot": "accuracy",
        "title": f"Accuracy: {results.spec.name}",
        "caption": " ".join(filter(None, notes)),
        "arms": described(arms, results),
        "panels": [panel],
    }
