"""R²: the share of the targets' variance that the outputs explain."""

from functools import partial

import torch

from core.metrics import Accumulator, Evaluation, MeanOfExamples, Metric, metrics


def _r2(evaluation: Evaluation) -> Accumulator:
    """Return the mean over examples of 1 - squared error / variance of the split's targets, averaged over targets."""
    variance = evaluation.y.var(0, correction=0)

    def explained(outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return (1 - (outputs - y).square() / variance).mean(-1)

    return MeanOfExamples(evaluation, explained)


_of_split = partial(
    Metric,
    direction="max",
    per="epoch",
    quantity="R²",
    bounds=(None, 1.0),
    resolution=0.01,
    floor=-1.0,
    axis="1: all of the variance explained; 0: none",
    tasks=("regression",),
    compared=True,
    standard=True,
    accumulator=_r2,
)
metrics.add(_of_split(name="valid_r2", label="validation R²", split="valid", rank=10))
metrics.add(
    _of_split(
        name="valid_r2_ema",
        label="validation R², averaged weights",
        split="valid",
        rank=46,
        standard=False,
        averaged=True,
    )
)
metrics.add(_of_split(name="train_r2", label="training R²", split="train", rank=30))
