"""The plot `loss`: training and validation loss."""

from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from core.design import Design
from core.plots import Plot, plots
from core.plots.drawing.bands import with_room
from core.plots.drawing.curves import (
    about_lines,
    about_stopped,
    arms_drawn,
    described,
    diverged_lines,
    extent,
    mean_lines,
    sample,
)
from core.plots.drawing.frames import padded, padded_log, plain_number
from core.plots.drawing.lines import draw_lines
from core.plots.drawing.progress_axes import By, placed
from core.plots.drawing.value_axes import loss_axis
from core.results import Results, Series

LOG_FROM = 100.0
"""Ratio of largest to smallest loss from which the axis is logarithmic."""
MOST_FIRST = 1_000_000
First = Annotated[int, Field(ge=1, le=MOST_FIRST)] | Literal["all"]
DECADES = 8
"""Most decades of a logarithmic axis: higher values lie above the picture."""


@plots.register(
    formula="mean over seeds of train_loss by update, and of valid_loss at each epoch's end, with 95 % Student t "
    "bands; on a logarithmic axis m·exp(±h/m), m ± h being that interval",
    source="train_loss is the loss of one batch before its update; valid_loss is of the whole validation split; bands: "
    "Student 1908, on logarithmic axes by the delta method",
)
def loss(*, first: First = 100, x: By = "updates") -> Plot:
    """Training loss of the `first` updates (all: of every one) and validation loss of every epoch, one line an arm.

    `x` has what the axis counts: arms whose batches differ compare by examples or by seconds, all as far as the `first`
    updates of that arm go that comes farthest in them.
    """
    return Plot(partial(data, first=None if first == "all" else first, by=x), draw_lines, _applies)


def _applies(design: Design) -> bool:
    """Return whether it is measured: trained elsewhere, an experiment has the metrics that were declared."""
    return design.trained_here or not {"train_loss", "valid_loss"}.isdisjoint(design.metrics)


def data(results: Results, first: int | None, by: By = "updates") -> dict[str, Any]:
    arms = arms_drawn(results)
    place = placed(results, by)
    end = None if first is None else max(place.update(label, np.array([first]))[0] for label in arms.labels)
    longest, steps, cut = 0, list[Series](), set[tuple[str, int]]()
    for one in results.series("train_loss"):
        longest = max(longest, len(one.steps))
        kept = len(one.steps) if end is None else int(np.searchsorted(place.update(one.arm, one.steps), end))
        if kept < len(one.steps):
            cut.add((one.arm, one.seed))
        steps.append(one._replace(steps=one.steps[:kept].copy(), values=one.values[:kept].copy()))
    training = mean_lines(steps, results, arms, place=place.update) + diverged_lines(steps, results, arms, place.update)
    for line in training:
        line["goes_on"] = line["role"] == "diverged" and (arms.labels[line["arm"]], line["seed"]) in cut
    validation = mean_lines(results.series("valid_loss"), results, arms, place=place.epoch)
    name = loss_axis(results.design)
    y, note = _axis([*training, *validation], name)
    diverged = [line for line in training if line["role"] == "diverged"]
    notes = [
        sample(results),
        "" if first is None or end is None or not cut else _about_cut(first, longest, by, float(end)),
        place.note,
        about_lines([*training, *validation], "update"),
        about_stopped(results, by_update=True),
        "Thin: a run that diverged, X where it did." if any(not line["goes_on"] for line in diverged) else "",
        "Thin without X: one that diverged later." if any(line["goes_on"] for line in diverged) else "",
        note,
        arms.note,
    ]
    return {
        "plot": "loss",
        "title": f"Loss: {results.design.name}",
        "caption": " ".join(filter(None, notes)),
        "arms": described(arms, results),
        "panels": [
            {
                "title": "training (one batch, before its update)",
                "x": place.axis(training),
                "y": y,
                "lines": training,
            },
            {
                "title": "validation (whole split, at each epoch's end)",
                "x": place.epoch_axis(validation),
                "y": y,
                "lines": validation,
            },
        ],
    }


def _about_cut(first: int, longest: int, by: By, end: float) -> str:
    if by == "updates":
        return f"Training: the first {first:,} of {longest:,} updates."
    return f"Training: up to {plain_number(end)} {by}, as far as {first:,} updates of some arm go."


def _axis(lines: list[dict[str, Any]], name: str) -> tuple[dict[str, Any], str]:
    """Return the axis, and a note of values above it: diverged runs do not stretch it unless all diverged."""
    y: dict[str, Any] = {"label": name, "scale": "linear", "kind": "number", "limits": None}
    found = extent([line for line in lines if line["role"] != "diverged"]) or extent(lines)
    if found is None:
        return y | {"limits": (0.0, 1.0)}, ""
    low, positive, high = found
    top = min(high, positive * 10.0**DECADES) if positive > 0 else high
    if positive > 0 and high / positive >= LOG_FROM:
        y |= {"scale": "log", "limits": padded_log(positive, top)}
    else:
        low, high = with_room(lines, min(low, 0.0), high)
        y |= {"limits": padded(max(low, min(found[0], 0.0)), high)}
    whole = extent(lines) or found
    return y, f"Losses above {plain_number(top, 2)} lie above the picture." if whole[2] > top else ""
