"""Weights of runs that are kept: the best of each lane so far, and those of a run that ends."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.classification import ClassSummary
from core.metrics import Metric, Task
from core.results import Outcome
from core.spec import Which
from core.training.lanes.forward import Tensors
from core.training.recorder import Recorder

_PREFIX = "best/weights/"


@dataclass(frozen=True)
class Weights:
    """The parameters and buffers of a run, by the plain model's names."""

    values: Tensors
    epoch: int | None = None
    """The epochs after which they were the best; None where that is no question."""

    def to_cpu(self) -> "Weights":
        """Return them as copies on the CPU."""
        return Weights({name: value.detach().cpu().clone() for name, value in self.values.items()}, self.epoch)


class RunWeights(dict[Which, Weights]):
    """The weights of a run that are kept."""


TakeWeights = Callable[[int, RunWeights], None]
"""Takes the weights of a run, by its key, which has not ended yet."""


def chosen_by(task: Task, metrics: Sequence[Metric]) -> int:
    """Return which of the metrics says which epoch is the best: what arms are compared by, on the validation split."""
    judged = [i for i, m in enumerate(metrics) if m.split == "valid" and m.is_primary(task) and not m.averaged]
    return judged[0]


class BestWeights:
    """The weights of each lane after the epoch that was the best so far; of equal ones the first.

    An epoch whose value is not a number is not the best.
    """

    def __init__(self, row: int, sign: int, state: Tensors, weights: Callable[[], Tensors]) -> None:
        """Restore `state`, if it has any; row `row` of what an epoch measures decides: times `sign`, more is better."""
        self._row, self._sign, self._weights = row, sign, weights
        now = weights()
        first = next(iter(now.values()))
        self._values = state.get("best/values", torch.full((len(first),), -torch.inf, dtype=torch.float64))
        self._epochs = state.get("best/epochs", torch.zeros(len(first), dtype=torch.int64))
        self._values, self._epochs = (one.to(first.device, copy=True) for one in (self._values, self._epochs))
        self._best = {
            name: state.get(_PREFIX + name, value).detach().to(value.device, copy=True) for name, value in now.items()
        }

    @classmethod
    def of(
        cls,
        asked: Collection[Which],
        task: Task,
        metrics: Sequence[Metric],
        state: Tensors,
        weights: Callable[[], Tensors],
    ) -> "BestWeights | None":
        """Return those that are asked for; None where they are not."""
        if "best" not in asked:
            return None
        row = chosen_by(task, metrics)
        return cls(row, metrics[row].sign, state, weights)

    def update(self, epoch: int, measured: torch.Tensor) -> None:
        """Take the weights of the lanes that are better than ever, by what was measured after an epoch."""
        values = self._sign * measured[self._row].to(self._values.device)
        better = values > self._values  # false where it is not a number
        self._values = torch.where(better, values, self._values)
        self._epochs = torch.where(better, epoch + 1, self._epochs)
        for name, value in self._weights().items():
            column = better.view(-1, *[1] * (value.ndim - 1))
            self._best[name] = torch.where(column, value.detach(), self._best[name])

    def of_lane(self, lane: int) -> Weights | None:
        """Return those of a lane; None where it has ended no epoch with a number."""
        epoch = int(self._epochs[lane])
        return Weights({name: stack[lane] for name, stack in self._best.items()}, epoch) if epoch else None

    def state(self) -> dict[str, torch.Tensor]:
        """Return what they depend on, stacked over lanes."""
        kept = {"best/values": self._values, "best/epochs": self._epochs}
        return kept | {_PREFIX + name: value for name, value in self._best.items()}


class WeightsAtEnd:
    """A `Recorder` before another one, which takes the weights of each run just before it records the run's end."""

    def __init__(self, recorder: Recorder, of: Callable[[int, Outcome], RunWeights], take: TakeWeights) -> None:
        self._recorder, self._of, self._take = recorder, of, take

    def record(self, run: int, metric: str, first: int, values: NDArray[Any]) -> None:
        self._recorder.record(run, metric, first, values)

    def judge(self, run: int, correct: NDArray[np.bool_]) -> None:
        self._recorder.judge(run, correct)

    def classify(self, run: int, summary: ClassSummary) -> None:
        self._recorder.classify(run, summary)

    def finish(self, run: int, outcome: Outcome) -> None:
        self._take(run, self._of(run, outcome))
        self._recorder.finish(run, outcome)

    def advance(self, step: int) -> None:
        self._recorder.advance(step)
