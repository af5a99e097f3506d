"""Results of the judged split's examples that are kept when runs end, each where it is asked for."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.classification import ClassSummary
from core.metrics import Metric, Split, Task
from core.metrics import metrics as catalogue
from core.training.lanes.class_summaries import KeptSummaries
from core.training.lanes.correctness import KeptCorrectness
from core.training.options import TrainOptions

OfLane = tuple[NDArray[np.bool_] | None, ClassSummary | None]
"""The examples that a lane gets right, (n,), and the summary of its classes."""


class JudgedExamples:
    """Keeps them while the split is evaluated with `metrics`, which measure nothing by themselves."""

    def __init__(self, options: TrainOptions, task: Task, split: Split) -> None:
        """Of a regression nothing is right, and there are no classes."""
        classifies = task != "regression"
        self._correct = KeptCorrectness() if classifies and options.examples else None
        self._summaries = KeptSummaries() if classifies and options.classification else None
        accuracy = catalogue[f"{split}_accuracy"]
        kept = {"correct": self._correct, "classification": self._summaries}
        self.metrics: list[Metric] = [
            replace(accuracy, name=name, accumulator=one) for name, one in kept.items() if one is not None
        ]

    def of_lanes(self, lanes: int) -> list[OfLane]:
        """Return what was kept of each lane."""
        correct = [None] * lanes if self._correct is None else [*self._correct.correct().cpu().numpy()]
        summaries = [None] * lanes if self._summaries is None else self._summaries.summaries()
        return list(zip(correct, summaries, strict=True))
