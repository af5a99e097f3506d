"""Macro-F1: the mean over classes of the harmonic mean of precision and recall.

Classes that are neither in the split nor named by the model are left out, as scikit-learn's f1_score does.
"""

import torch

from core.metrics import Accumulator, Evaluation, Metric, metrics
from core.metrics._sums import ClassCounts, OfClasses, ratio


def _mean_f1(counts: ClassCounts) -> torch.Tensor:
    either = counts.actual + counts.named
    return ratio(2 * counts.right, either).sum(1) / (either > 0).sum(1)


def _macro_f1(evaluation: Evaluation) -> Accumulator:
    return OfClasses(evaluation, _mean_f1)


metrics.add(
    Metric(
        name="valid_macro_f1",
        label="validation macro-F1",
        direction="max",
        per="epoch",
        split="valid",
        quantity="macro-F1",
        bounds=(0.0, 1.0),
        resolution=0.01,
        rank=60,
        tasks=("multiclass",),
        compared=True,
        accumulator=_macro_f1,
    )
)
