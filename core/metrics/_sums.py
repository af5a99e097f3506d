"""Accumulators of means over the examples of a split, and of counts by class."""

from collections.abc import Callable

import torch

from core.metrics._metric import Evaluation

PerExample = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""(outputs (lanes, batch, outputs), labels (lanes, batch) or targets (lanes, batch, outputs)) -> (lanes, batch)."""


class MeanOfExamples:
    """The mean over a split of one number for each example, summed in float64."""

    def __init__(self, evaluation: Evaluation, of_examples: PerExample) -> None:
        self._of_examples = of_examples
        self._examples = len(evaluation.y)
        self._sum = torch.zeros(evaluation.lanes, dtype=torch.float64, device=evaluation.y.device)

    def add(self, outputs: torch.Tensor, y: torch.Tensor) -> None:
        self._sum += self._of_examples(outputs, y).sum(1)

    def result(self) -> torch.Tensor:
        return self._sum / self._examples


class ClassCounts:
    """Counts by class, (lanes, classes): examples of it in the split, examples named so, and those that are both."""

    def __init__(self, evaluation: Evaluation) -> None:
        self._binary = evaluation.task == "binary"
        self._classes = 2 if self._binary else evaluation.outputs
        shape = (evaluation.lanes, self._classes)
        self.actual, self.named, self.right = (
            torch.zeros(shape, dtype=torch.int64, device=evaluation.y.device) for _ in range(3)
        )

    def add(self, outputs: torch.Tensor, y: torch.Tensor) -> None:
        if self._binary:
            named, actual = (outputs > 0).long().squeeze(-1), (y > 0.5).long().squeeze(-1)
        else:
            named, actual = outputs.argmax(-1), y.long()
        ones = torch.ones_like(named)
        self.actual.scatter_add_(1, actual.expand_as(named), ones)
        self.named.scatter_add_(1, named, ones)
        self.right.scatter_add_(1, named, (named == actual).long())


class OfClasses(ClassCounts):
    """A metric that follows from the counts by class."""

    def __init__(self, evaluation: Evaluation, of_counts: Callable[["ClassCounts"], torch.Tensor]) -> None:
        super().__init__(evaluation)
        self._of_counts = of_counts

    def result(self) -> torch.Tensor:
        return self._of_counts(self)


def ratio(top: torch.Tensor, bottom: torch.Tensor) -> torch.Tensor:
    """Return top / bottom in float64, 0 where bottom is 0, as scikit-learn has it for a class that nobody named."""
    top, bottom = top.double(), bottom.double()
    return torch.where(bottom == 0, 0.0, top / torch.where(bottom == 0, 1.0, bottom))
