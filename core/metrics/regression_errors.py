"""Errors of a regression: the mean absolute error, and the root of the mean squared one.

They are of targets as a model is trained on them, which most data sets standardise by the training split.
"""

from functools import partial

import torch

from core.metrics import Evaluation, MeanOfExamples, Metric, metrics


def _absolute(outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return (outputs - y).abs().mean(-1)


class RootMeanSquare(MeanOfExamples):
    """The root of the squared error's mean over examples and targets."""

    def __init__(self, evaluation: Evaluation) -> None:
        super().__init__(evaluation, lambda outputs, y: (outputs - y).square().mean(-1))

    def result(self) -> torch.Tensor:
        return super().result().sqrt()


_error = partial(
    Metric,
    direction="min",
    per="epoch",
    split="valid",
    tasks=("regression",),
    bounds=(0.0, None),
    axis="standard deviations of the training targets",
    compared=True,
)
metrics.add(
    _error(
        name="valid_mae",
        label="validation MAE",
        quantity="MAE",
        rank=60,
        accumulator=partial(MeanOfExamples, of_examples=_absolute),
    )
)
metrics.add(_error(name="valid_rmse", label="validation RMSE", quantity="RMSE", rank=50, accumulator=RootMeanSquare))
