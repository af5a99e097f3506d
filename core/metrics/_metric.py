"""The record of one metric, or of another number that runs are compared by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, Protocol, Self

import torch

Task = Literal["multiclass", "binary", "regression"]
"""The task, which settles the loss: cross-entropy of classes, of a sigmoid's one output, or the squared error."""
TASKS: tuple[Task, ...] = ("multiclass", "binary", "regression")
Direction = Literal["max", "min", "none"]
"""The values that are better: the larger, the smaller, or neither, as of a learning rate."""
Split = Literal["train", "valid", "test"]
"""`test` is what no training, stopping, pruning or choice sees: a run is judged on it once, when it has ended."""
SPLITS: dict[Split, str] = {"train": "training", "valid": "validation", "test": "test"}
"""The words for the splits in labels."""
SPLIT_OF_CHOICES: Split = "valid"
"""The split by which runs stop and arms are pruned and chosen."""
TEST_RANK = 500
"""Ranks of the test split's metrics begin here, behind all others: few runs have them."""
Per = Literal["step", "epoch"]


ROUNDING = 1e-6
"""A spread below this part of the values' size is rounding, not chance: what is trained here is in float32."""
DECLARED_ROUNDING = 1e-12
"""The same of values that others declare: 5,000,001.1 and 5,000,003.2 are what they say, in float64."""


class Labels(NamedTuple):
    """The words for arms that are the best, better or worse in a measure."""

    best: str
    better: str
    worse: str


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A number that runs have: its name for programs, its label for people, and which of two values is better."""

    name: str
    label: str
    direction: Direction
    unit: str = ""
    """Of a value and of a difference, with the space before it."""
    counts: bool = False
    """True where the label says what is counted: then only differences are written with the unit."""
    share: bool = False
    """True of a share, which is written in percent."""
    describes: bool = False
    """True where a value is lower or higher, but by itself neither better nor worse."""
    shared: bool = False
    """True where the runs of a cohort share it, as they share the clock: then it is no measurement of a run alone."""
    extreme: bool = False
    """True of the best value of all epochs: a maximum gains from noise, and is better the more a curve jumps."""
    bounds: tuple[float | None, float | None] = (None, None)
    """The smallest and the largest value that there can be."""
    rounding: float = ROUNDING
    """The part of the values' size below which a spread is rounding."""
    never: str = "finished without a finite value of this metric"
    """The words for finished runs that have no value."""

    def __post_init__(self) -> None:
        for field in ("name", "label"):
            if not getattr(self, field).strip():
                raise ValueError(f"measure {self.name!r} has no {field}")
        if self.direction not in ("max", "min", "none"):
            raise ValueError(f"measure {self.name!r} has the direction {self.direction!r}: give max, min or none")

    @property
    def sign(self) -> int:
        """Return 1 where more is better, -1 where less is. Raises ValueError where neither is."""
        if self.direction == "none":
            raise ValueError(f"no value of {self.name} is better than another")
        return 1 if self.direction == "max" else -1

    @property
    def labels(self) -> Labels:
        """Best, better, worse; of what only describes a run: lowest, lower, higher, or highest, higher, lower."""
        if not self.describes:
            return Labels("best", "better", "worse")
        return Labels("highest", "higher", "lower") if self.sign > 0 else Labels("lowest", "lower", "higher")


class Evaluation(NamedTuple):
    """One evaluation of all lanes on a split, for which an accumulator is made."""

    task: Task
    lanes: int
    y: torch.Tensor
    """The whole split's labels (n,) or targets (n, outputs)."""
    outputs: int
    """Numbers that the model gives for an example."""


class Accumulator(Protocol):
    """Computes a metric of a split from outputs that it takes part by part."""

    def add(self, outputs: torch.Tensor, y: torch.Tensor) -> None:
        """Take outputs (lanes, batch, outputs) and their labels (lanes, batch) or targets (lanes, batch, outputs)."""

    def result(self) -> torch.Tensor:
        """Return the metric of every lane, (lanes,) in float64."""


@dataclass(frozen=True, kw_only=True)
class Metric(Measure):
    """A named series of a run: measured in every update, or after every epoch on one of the splits."""

    rank: int = 100
    """The place among outcomes, the lowest first; of those with `primary_for` its task comes before all others."""
    per: Per
    split: Split | None
    quantity: str
    """The name without the split: "accuracy" of `train_accuracy` and `valid_accuracy`."""
    tasks: tuple[Task, ...] = TASKS
    """The tasks that it is measured in."""
    compared: bool
    """True where arms are compared by its last value."""
    standard: bool = False
    """True where every run of its tasks has it; other metrics are judged where some run has a value."""
    primary_for: tuple[Task, ...] = ()
    """The tasks in which arms are compared by it where nothing else is asked for."""
    resolution: float | None = None
    """The least rise that means something; None: any."""
    floor: float | None = None
    """The lower end of an axis, for values that may be lower without bound."""
    axis: str | Mapping[Task, str] = ""
    """The text at an axis behind the label, by task where that differs."""
    fewest_outputs: int = 1
    """Outputs of the model from which it means something."""
    averaged: bool = False
    """True of what is measured with the running mean of the weights, where a run keeps one."""
    by_layer: bool = False
    """True where every layer has a series of its own, `name/layer`."""
    accumulator: Callable[[Evaluation], Accumulator] | None = None
    """Makes what measures it on a split; None: it is measured elsewhere, or by the client."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.compared and self.direction == "none":
            raise ValueError(f"metric {self.name!r} is compared: it needs a direction, max or min")
        if self.per == "epoch" and self.split is None and self.accumulator is not None:
            raise ValueError(f"metric {self.name!r} is measured by an accumulator: it needs a split")

    def applies(self, task: Task, outputs: int) -> bool:
        """Return whether it is measured in this task, for models of so many outputs."""
        return task in self.tasks and outputs >= self.fewest_outputs

    def for_task(self, task: Task) -> Self:
        """Return the metric as it is in one task, with that task's text at its axis."""
        return replace(self, axis=self.axis if isinstance(self.axis, str) else self.axis.get(task, ""))

    def is_primary(self, task: Task) -> bool:
        """Return whether arms are compared by it where nothing else is asked for."""
        return task in self.primary_for


def on_test(metric: Metric) -> Metric:
    """Return a metric of the validation split as it is on the test split, measured once, when a run has ended."""
    return replace(
        metric,
        name=metric.name.replace(SPLIT_OF_CHOICES, "test", 1),
        label=metric.label.replace(SPLITS[SPLIT_OF_CHOICES], SPLITS["test"], 1),
        split="test",
        rank=metric.rank + TEST_RANK,
    )


def declared(name: str, *, direction: Direction, per: Per = "epoch", primary: bool = False) -> Metric:
    """Return a metric that somebody else measures, by its name and direction.

    A name that begins with `train_`, `valid_` or `test_` says its split. Raises ValueError for another direction.
    """
    prefix, _, rest = name.partition("_")
    split: Split | None = next((one for one in SPLITS if one == prefix), None)
    quantity = rest if split is not None and rest else name
    label = quantity.replace("_", " ")
    if split is not None:
        label = f"{SPLITS[split]} {label}"
    return Metric(
        name=name,
        label=label,
        direction=direction,
        per=per,
        split=split,
        quantity=quantity,
        compared=direction != "none",
        primary_for=TASKS if primary else (),
        rounding=DECLARED_ROUNDING,
    )
