"""The catalogue of metrics: one record a metric, one file a family, registered by existing."""

from core.metrics._catalogue import metrics
from core.metrics._metric import (
    TASKS,
    Accumulator,
    Direction,
    Evaluation,
    Labels,
    Measure,
    Metric,
    Per,
    Split,
    Task,
    declared,
)
from core.metrics._names import (
    EpochMetric,
    diagnostics,
    epoch_metrics,
    is_diagnostic,
    is_epoch_metric,
    is_metric,
    is_step_metric,
    measured_by_epoch,
    metric_names,
    unit_of,
)
from core.metrics._sums import MeanOfExamples

__all__ = [
    "TASKS",
    "Accumulator",
    "Direction",
    "EpochMetric",
    "Evaluation",
    "Labels",
    "MeanOfExamples",
    "Measure",
    "Metric",
    "Per",
    "Split",
    "Task",
    "declared",
    "diagnostics",
    "epoch_metrics",
    "is_diagnostic",
    "is_epoch_metric",
    "is_metric",
    "is_step_metric",
    "measured_by_epoch",
    "metric_names",
    "metrics",
    "unit_of",
]
