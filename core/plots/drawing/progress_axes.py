"""Axes of how far a training has come: in updates, epochs, examples or seconds."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple, NoReturn

from core.errors import InvalidSpec, Problem
from core.metrics import Metric, Per
from core.plots.drawing.curves import Place, epochs_done, where_measured
from core.plots.drawing.frames import padded
from core.plots.drawing.rate_axes import update_axis
from core.plots.drawing.value_axes import epoch_axis
from core.results import Results

By = Literal["updates", "epochs", "examples", "seconds"]
_LABELS = {"epochs": "epochs done", "examples": "training examples seen", "seconds": "seconds of training"}
_SECONDS = "Seconds: updates done times the mean seconds of one by the clock, which the runs that train together share."


class Course(NamedTuple):
    """Where the points of a metric lie on an axis of its progress."""

    place: Place
    axis: Callable[[Sequence[dict[str, Any]]], dict[str, Any]]
    """Returns the axis of these lines."""
    point: str
    """The unit of a point: "update" or "epoch"."""


class Placed(NamedTuple):
    """Where what is measured by update, and by epoch, lies on an axis."""

    update: Course
    epoch: Course
    note: str

    def of(self, per: Per) -> Course:
        """Return where a metric's points lie that are counted in this unit."""
        return self.update if per == "step" else self.epoch


def course(results: Results, metric: Metric) -> Course:
    """Return where the points of a metric's curve lie, in its own unit: after two epochs at 2, at update 5 at 5."""
    return _UPDATES if results.unit(metric.name) == "step" else _EPOCHS


def placed(results: Results, by: By) -> Placed:
    """Return the axis of what is counted; raises `InvalidSpec` where that is not known of every arm.

    An update lies where it begins, the end of an epoch behind its last update: what was measured after two epochs of
    500 examples lies at 1,000 examples. By updates it lies at the last of them, counted from 0; where nobody said how
    many an epoch has, as of an experiment that is trained elsewhere, it lies at its epochs.
    """
    known = all(arm.steps_per_epoch for arm in results.design.arms)
    if by == "updates":
        return Placed(_UPDATES, Course(results.last_update, update_axis, "epoch") if known else _EPOCHS, "")
    if by == "epochs" and not known:
        return Placed(_EPOCHS._replace(place=partial(_refused, results)), _EPOCHS, "")
    sizes = _sizes(results, by)
    unknown = [label for label, size in sizes.items() if size is None]
    if unknown:
        raise InvalidSpec([Problem("x", f"the {by} of {unknown[0]!r} are not known")])

    def axis(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return _axis(lines, _LABELS[by])

    return Placed(
        Course(lambda arm, steps: steps * sizes[arm], axis, "update"),
        Course(lambda arm, epochs: (epochs + 1) * results.steps_in_epoch(arm) * sizes[arm], axis, "epoch"),
        _SECONDS if by == "seconds" else "",
    )


def _refused(results: Results, _arm: str, _steps: Any) -> NoReturn:
    unknown = next(arm.label for arm in results.design.arms if not arm.steps_per_epoch)
    raise InvalidSpec([Problem("x", f"how many updates an epoch of {unknown!r} has is not known: steps_per_epoch")])


_UPDATES = Course(where_measured, update_axis, "update")
_EPOCHS = Course(epochs_done, epoch_axis, "epoch")


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
