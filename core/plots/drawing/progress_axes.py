"""Axes of how far a training has come: in updates, epochs, examples or seconds."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

from core.errors import InvalidSpec, Problem
from core.plots.drawing.curves import Place, epochs_done
from core.plots.drawing.frames import padded
from core.plots.drawing.rate_axes import update_axis
from core.plots.drawing.value_axes import epoch_axis
from core.results import Results

By = Literal["updates", "epochs", "examples", "seconds"]
_LABELS = {"epochs": "epochs done", "examples": "training examples seen", "seconds": "seconds of training"}
_SECONDS = "Seconds: updates done times the mean seconds of one by the clock, which the runs that train together share."


class Placed(NamedTuple):
    """Where updates and the ends of epochs lie on an axis."""

    update: Place
    epoch: Place
    axis: Callable[[Sequence[dict[str, Any]]], dict[str, Any]]
    """Returns the axis of these lines."""
    epoch_axis: Callable[[Sequence[dict[str, Any]]], dict[str, Any]]
    """That of lines of what is measured by epoch: another where nobody knows how many updates an epoch has."""
    note: str


def placed(results: Results, by: By) -> Placed:
    """Return the axis of what is counted; raises `InvalidSpec` where that is not known of every arm.

    An update lies where it begins, the end of an epoch behind its last update: what was measured after two epochs of
    500 examples lies at 1,000 examples. By updates it lies at the last of them, counted from 0.
    """
    if by == "updates" and results.design.knows_epochs:
        return Placed(lambda _arm, steps: steps, results.last_update, update_axis, update_axis, "")
    if by == "updates":
        return Placed(lambda _arm, steps: steps, epochs_done, update_axis, lambda lines: epoch_axis({0: [*lines]}), "")
    sizes = _sizes(results, by)
    unknown = [label for label, size in sizes.items() if size is None]
    if unknown:
        raise InvalidSpec([Problem("x", f"the {by} of {unknown[0]!r} are not known")])
    axis = partial(_axis, label=_LABELS[by])
    return Placed(
        lambda arm, steps: steps * sizes[arm],
        lambda arm, epochs: (epochs + 1) * results.steps_in_epoch(arm) * sizes[arm],
        axis,
        axis,
        _SECONDS if by == "seconds" else "",
    )


def _sizes(results: Results, by: By) -> Mapping[str, Any]:
    """Return how many of what is counted an update of each arm is; None where that is not known."""
    if by == "epochs":
        return {label: 1 / results.steps_in_epoch(label) for label in results.design.labels}
    if by == "examples":
        return {arm.label: arm.training and arm.training.batch_size for arm in results.design.arms}
    found: dict[str, float | None] = dict.fromkeys(results.design.labels)
    for label in found:
        known = [run for run in results.runs if run.arm == label and run.seconds is not None and run.steps_done]
        if known:
            found[label] = sum(run.seconds or 0.0 for run in known) / sum(run.steps_done for run in known)
    return found


def _axis(lines: Sequence[dict[str, Any]], label: str) -> dict[str, Any]:
    last = max([line["x"][-1] for line in lines if line["x"]], default=1)
    return {"label": label, "scale": "linear", "kind": "number", "limits": padded(0, last, 0.015)}
