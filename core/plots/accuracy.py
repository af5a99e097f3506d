"""The plot `accuracy`: accuracy or R² after every epoch."""

import math
from typing import Any

from core.metrics import Metric
from core.plots import Plot, plots
from core.plots.drawing.bands import with_room
from core.plots.drawing.curves import (
    about_lines,
    about_stopped,
    arms_drawn,
    described,
    epochs_done,
    extent,
    mean_lines,
    sample,
)
from core.plots.drawing.frames import padded, plain_number
from core.plots.drawing.lines import draw_lines
from core.plots.drawing.styles import COLOURS
from core.plots.drawing.value_axes import epoch_axis, short_name
from core.results import Results


@plots.register(
    formula="mean over seeds of valid_accuracy (and, dashed, of train_accuracy) by epoch, with 95 % Student t bands; "
    "in regression R², 1 - squared error / variance",
    source="both are measured in evaluation mode after the epoch, on the whole split; bands: Student 1908",
)
def accuracy() -> Plot:
    """Validation accuracy (in regression R²) after every epoch, one line an arm, with that of the training split."""
    return Plot(data, draw_lines)


def data(results: Results) -> dict[str, Any]:
    arms = arms_drawn(results)
    score, train = results.design.score, results.design.trains_score
    lines = mean_lines(results.series(score.name), results, arms, place=epochs_done) if score is not None else []
    few = len(arms.labels) <= len(COLOURS)
    training = []
    if few and train is not None:
        training = mean_lines(results.series(train.name), results, arms, role="second", place=epochs_done)
    for line in training:
        line["low"] = line["high"] = line["raw"] = None
    found = extent([*lines, *training])
    y = score_axis(score)
    below = found is not None and found[0] < y["lowest"]
    notes = [
        sample(results),
        _about_splits(score, train, few),
        about_lines(lines, "epoch"),
        about_stopped(results),
        f"Values below {plain_number(y['lowest'])} lie below the picture." if below else "",
        arms.note,
    ]
    low, high = with_room(lines, max(found[0], y["lowest"]), found[2]) if found else (0.0, 1.0)
    limits = padded(max(low, y["lowest"]), high) if found else (low, high)
    panel = {
        "title": "after each epoch" + (", in evaluation mode" if results.design.trained_here else ""),
        "x": epoch_axis({0: lines}),
        "y": {"label": y["label"], "scale": "linear", "kind": y["kind"], "limits": limits},
        "lines": [*lines, *training],
    }
    return {
        "plot": "accuracy",
        "title": f"{y['title']}: {results.design.name}",
        "caption": " ".join(filter(None, notes)),
        "arms": described(arms, results),
        "panels": [panel],
    }


def _about_splits(score: Metric | None, train: Metric | None, few: bool) -> str:
    """Return the caption's words on which split a line is of; nothing where whoever measured it has not said."""
    if score is None or score.split != "valid":
        return ""
    if train is None:
        return "Of the validation split."
    return "Solid: validation; dashed, thin: training." if few else "Validation only."


def score_axis(score: Metric | None) -> dict[str, Any]:
    """Return the axis of the score; below `lowest` it ends: R² may be lower without bound."""
    if score is None:
        return {"title": "Score", "label": "no score", "kind": "number", "lowest": -math.inf}
    name = short_name(score)
    behind = "(% of examples)" if score.share else f"({score.axis})" if score.axis else ""
    low = score.bounds[0] if score.floor is None else score.floor
    return {
        "title": name[:1].upper() + name[1:],
        "label": f"{name} {behind}".strip(),
        "kind": "share" if score.share else "number",
        "lowest": -math.inf if low is None else low,
    }
