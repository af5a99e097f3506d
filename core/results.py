"""What came out of an experiment, as the analysis and the pictures take it: plain values, wherever they were stored."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from core.datasets import DatasetInfo, DatasetPaths, Task, epoch_metrics
from core.spec import DIAGNOSTICS, Spec, Treatment

STEP_METRICS = ("train_loss", "lr")
NOISE_METRICS = ("gradient_squared", "gradient_variance")
"""By epoch, where the gradient noise is measured: estimates of |G|² and of tr(S) (`core.training.noise`)."""
EPOCH_METRICS = ("train_accuracy", "valid_loss", "valid_accuracy", "train_r2", "valid_r2", *NOISE_METRICS)
"""Of all tasks; `epoch_metrics` are one task's."""
Outcome = Literal["completed", "diverged", "stopped_early", "pruned"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


def is_diagnostic(metric: str) -> bool:
    """Whether it is one layer's, measured every so many updates: `activation_std/fc1`."""
    return "/" in metric


def spacing(spec: Spec, metric: str) -> int:
    """Updates, or epochs, between two points of a metric."""
    return spec.diagnostics.every if spec.diagnostics and is_diagnostic(metric) else 1


def is_metric(metric: str) -> bool:
    """Whether some experiment may have it; `activation_std` alone means that of every layer."""
    return metric.partition("/")[0] in DIAGNOSTICS or metric in (*STEP_METRICS, *EPOCH_METRICS)


@dataclass(frozen=True)
class RunResult:
    """One run: an arm's label, a seed, and how it ended."""

    id: int
    arm: str
    seed: int
    status: str
    outcome: Outcome | None
    final: dict[str, float | None]
    """The last value of every metric; None where it is not finite."""
    seconds: float | None = field(default=None, compare=False)
    """From its first update to its end by the clock, waits and the company of other runs included; None: not known."""
    steps_done: int = 0
    steps_total: int = 0
    """Updates that were made, and that all its epochs have."""
    energy_kwh: float | None = field(default=None, compare=False)
    co2e_g: float | None = field(default=None, compare=False)
    energy_source: Literal["measured", "estimated"] | None = field(default=None, compare=False)
    """What it took from the socket, and what that is in carbon dioxide; None where nobody has looked."""


class Series(NamedTuple):
    """One metric of one run: `values[i]` was measured at `steps[i]` (an update, or an epoch, from 0)."""

    run_id: int
    arm: str
    seed: int
    metric: str
    steps: NDArray[np.int64]
    values: NDArray[np.float64]

    @property
    def unit(self) -> Literal["step", "epoch"]:
        return "epoch" if self.metric in EPOCH_METRICS else "step"


@dataclass(frozen=True)
class Results:
    """An experiment's spec, its runs in the order arm, seed, and its series by metric (read when asked for)."""

    spec: Spec
    steps_per_epoch: int
    """Of the first arm: where an epoch's end lies on the axis of updates."""
    runs: Sequence[RunResult]
    series: Callable[[str], Sequence[Series]]
    """Of a metric; of `activation_std`, or another diagnostic, those of all layers."""
    sources: DatasetPaths
    """Where the data sets' files lie: the initial weights are drawn again for the shape of the data."""
    task: Task
    """What the arms learn."""
    steps_by_arm: Mapping[str, int] = field(default_factory=dict)
    """Updates in an epoch of each arm, by label."""
    whole: "Results | None" = None
    """All arms, where these are only some of them: a comparison is one among all, whichever are looked at."""
    rungs: Sequence[Mapping[str, Any]] = ()
    """What was decided where the arms were compared before their last epoch: `core.analysis.decide_rung`."""

    def steps_in_epoch(self, arm: str) -> int:
        """Updates in an epoch of an arm; where that is not known, by its batch size from the first arm's."""
        if arm in self.steps_by_arm:
            return self.steps_by_arm[arm]
        sizes: dict[str, int] = {one.label: one.treatment.batch_size for one in self.spec.expanded}
        return max(1, math.ceil(self.steps_per_epoch * next(iter(sizes.values())) / sizes[arm]))

    def last_update(self, arm: str, epochs: NDArray[np.int64]) -> NDArray[np.int64]:
        """The update that each epoch of an arm ends with, both from 0."""
        return (epochs + 1) * self.steps_in_epoch(arm) - 1

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The metrics whose last value can be an outcome; the first is judged where none is asked for."""
        train, valid_loss, valid = epoch_metrics(self.task)
        judged = (valid_loss, valid) if self.task == "regression" else (valid, valid_loss)
        return (*judged, train, "train_loss")

    def of_arms(self, labels: Collection[str]) -> "Results":
        """Only the arms of these labels, of which there should be one at least; in the spec's order."""
        spec = self.spec.of_arms(labels)
        return replace(
            self,
            spec=spec,
            steps_per_epoch=self.steps_in_epoch(spec.expanded[0].label),
            runs=[run for run in self.runs if run.arm in labels],
            series=lambda metric: [one for one in self.series(metric) if one.arm in labels],
            whole=self.whole or self,
        )

    def info(self, treatment: Treatment) -> DatasetInfo:
        """The sizes of an arm's data set; raises `DataError` where its files are no longer there."""
        info: DatasetInfo = treatment.dataset.build().info(self.sources)
        return info
