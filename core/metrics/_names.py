"""Names of metrics: those that a task has, those that a spec may name, and the unit that their points count."""

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from core.metrics._catalogue import metrics
from core.metrics._metric import Metric, Per, Task
from core.registry import is_reading_stored, unknown

Plugins = frozenset[str] | None
"""The plug-ins whose metrics are measured; None: all."""


def epoch_metrics(task: Task, outputs: int, averaged: bool = False, plugins: Plugins = None) -> tuple[str, ...]:
    """Return the names of what is measured after every epoch in a task, for models of so many outputs."""
    return tuple(metric.name for metric in measured_by_epoch(task, outputs, averaged, plugins))


@cache
def measured_by_epoch(task: Task, outputs: int, averaged: bool = False, plugins: Plugins = None) -> tuple[Metric, ...]:
    """Return the metrics that are measured on a split after every epoch, in the order of their ranks.

    With `averaged` also those of the running mean of the weights; of plug-ins those of `plugins` alone, if given.
    """
    return tuple(metric for metric in _measured(task, outputs, averaged, plugins) if metric.split != "test")


@cache
def measured_on_test(task: Task, outputs: int, averaged: bool = False, plugins: Plugins = None) -> tuple[Metric, ...]:
    """Return the metrics that are measured on the test split when a run has ended; the arguments are as above."""
    return tuple(metric for metric in _measured(task, outputs, averaged, plugins) if metric.split == "test")


def _measured(task: Task, outputs: int, averaged: bool, plugins: Plugins) -> tuple[Metric, ...]:
    measured = (m for m in metrics.values() if m.accumulator is not None and m.applies(task, outputs))
    asked = (m for m in measured if plugins is None or metrics.plugin_of(m.name) in (None, *plugins))
    return tuple(m for m in asked if averaged or not m.averaged)


@cache
def metric_names(per: Per | None = None) -> tuple[str, ...]:
    """Return the names of all metrics of a whole run, or of those by step, or by epoch."""
    return tuple(metric.name for metric in metrics.values() if per in (None, metric.per) and not metric.by_layer)


def is_step_metric(name: str) -> bool:
    """Return whether the catalogue has a metric of that name which is measured in every update."""
    return name in metric_names("step")


def is_epoch_metric(name: str) -> bool:
    """Return whether the catalogue has a metric of that name which is measured after every epoch."""
    return name in metric_names("epoch")


def is_of_test(name: str) -> bool:
    """Return whether the catalogue has a metric of that name which is of the test split."""
    return name in metrics and metrics[name].split == "test"


def is_diagnostic(name: str) -> bool:
    """Return whether a series is one layer's, measured every so many updates: `activation_std/fc1`."""
    return "/" in name


def is_metric(name: str) -> bool:
    """Return whether some run may have a series of that name; `activation_std` alone means that of every layer."""
    return name in metric_names() or name.partition("/")[0] in diagnostics()


@cache
def diagnostics() -> tuple[str, ...]:
    """Return the names of what is measured of every layer."""
    return tuple(metric.name for metric in metrics.values() if metric.by_layer)


def unit_of(name: str) -> Literal["step", "epoch"]:
    """Return the unit that the points of a series are counted in."""
    return "epoch" if is_epoch_metric(name) else "step"


def _choosing() -> tuple[str, ...]:
    """Return the names of what runs may answer to: the test split is for the verdict alone."""
    return tuple(m.name for m in metrics.values() if m.accumulator is not None and m.split != "test")


def _known(name: str) -> str:
    known = _choosing()
    if name not in known and not is_reading_stored():
        problem = unknown("metric", name, known)
        if is_of_test(name):
            message = f"is of the test split, which nothing but the verdict sees: give valid_{name.partition('_')[2]}"
            problem = problem._replace(message=message)
        raise PydanticCustomError("catalog", "no such metric", {"problems": [problem]})
    return name


def _schema() -> dict[str, Any]:
    return {"type": "string", "enum": [*_choosing()]}


class _Enum:
    """Writes the names into a JSON schema when it is asked for, as the catalogue is then whole."""

    def __get_pydantic_json_schema__(self, _schema_of_text: Any, _handler: Any) -> dict[str, Any]:
        return _schema()


EpochMetric = Annotated[str, AfterValidator(_known), _Enum()]
"""The type of a setting that names what is measured after every epoch."""
