"""Metrics of binary targets: log loss, balanced accuracy, precision and recall of the second class.

As in scikit-learn, precision is 0 where the model never names the class, and recall where the split has none of it.
"""

from functools import partial

import torch

from core.metrics import Evaluation, MeanOfExamples, Metric, metrics
from core.metrics._sums import ClassCounts, OfClasses, ratio
from core.metrics.loss import loss_of_examples


def _balanced(counts: ClassCounts) -> torch.Tensor:
    """Return the mean recall of the classes that the split has."""
    return ratio(counts.right, counts.actual).sum(1) / (counts.actual > 0).sum(1)


def _precision(counts: ClassCounts) -> torch.Tensor:
    return ratio(counts.right, counts.named)[:, 1]


def _recall(counts: ClassCounts) -> torch.Tensor:
    return ratio(counts.right, counts.actual)[:, 1]


def _log_loss(evaluation: Evaluation) -> MeanOfExamples:
    return MeanOfExamples(evaluation, loss_of_examples("binary"))


_binary = partial(Metric, per="epoch", split="valid", tasks=("binary",), compared=True)
_share = partial(_binary, direction="max", bounds=(0.0, 1.0), resolution=0.01, share=True)

metrics.add(
    _binary(
        name="valid_log_loss",
        label="validation log loss",
        direction="min",
        quantity="log loss",
        bounds=(0.0, None),
        axis="nats",
        rank=80,
        accumulator=_log_loss,
    )
)
for _rank, _quantity, _of_counts in (
    (55, "balanced accuracy", _balanced),
    (60, "precision", _precision),
    (70, "recall", _recall),
):
    metrics.add(
        _share(
            name=f"valid_{_quantity.replace(' ', '_')}",
            label=f"validation {_quantity}",
            quantity=_quantity,
            rank=_rank,
            accumulator=partial(OfClasses, of_counts=_of_counts),
        )
    )
