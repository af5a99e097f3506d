"""The accuracy: the share of examples that are classified right."""

from functools import partial

import torch

from core.metrics import Accumulator, Evaluation, MeanOfExamples, Metric, Task, metrics
from core.metrics._sums import PerExample


def _multiclass(outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return outputs.argmax(-1) == y


def _binary(outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return whether each example is right at the threshold 0.5 of the sigmoid, which is 0 of the output."""
    return ((outputs > 0) == (y > 0.5)).squeeze(-1)


def right_examples(task: Task) -> PerExample:
    """Return the function that tells which examples are classified right, (lanes, batch)."""
    return _binary if task == "binary" else _multiclass


def _accuracy(evaluation: Evaluation) -> Accumulator:
    return MeanOfExamples(evaluation, right_examples(evaluation.task))


_of_split = partial(
    Metric,
    direction="max",
    per="epoch",
    quantity="accuracy",
    share=True,
    bounds=(0.0, 1.0),
    resolution=0.01,
    tasks=("multiclass", "binary"),
    compared=True,
    standard=True,
    accumulator=_accuracy,
)
metrics.add(
    _of_split(
        name="valid_accuracy",
        label="validation accuracy",
        split="valid",
        rank=10,
        primary_for=("multiclass", "binary"),
    )
)
metrics.add(
    _of_split(
        name="valid_accuracy_ema",
        label="validation accuracy, averaged weights",
        split="valid",
        rank=46,
        standard=False,
        averaged=True,
    )
)
metrics.add(_of_split(name="train_accuracy", label="training accuracy", split="train", rank=30))
