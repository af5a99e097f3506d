"""Which examples each lane classifies right, kept while a split is evaluated."""

import torch

from core.metrics import Accumulator, Evaluation
from core.metrics.accuracy import right_examples


class KeptCorrectness:
    """Makes the accuracy's accumulators, one for each evaluation, and keeps what each example came to."""

    def __init__(self) -> None:
        self._kept: list[_Correctness] = []

    def __call__(self, evaluation: Evaluation) -> Accumulator:
        self._kept.append(_Correctness(evaluation))
        return self._kept[-1]

    def correct(self) -> torch.Tensor:
        """Return whether each lane was right about each example, (lanes, n), in the order of the split."""
        return torch.cat([torch.cat(one.found, dim=1) for one in self._kept])


class _Correctness:
    def __init__(self, evaluation: Evaluation) -> None:
        self._right = right_examples(evaluation.task)
        self.found: list[torch.Tensor] = []

    def add(self, outputs: torch.Tensor, y: torch.Tensor) -> None:
        self.found.append(self._right(outputs, y))

    def result(self) -> torch.Tensor:
        return torch.cat(self.found, dim=1).double().mean(dim=1)
