"""Evaluation of all lanes on a split, part by part."""

from collections.abc import Callable, Sequence

import torch

from core.metrics import Evaluation, Metric
from core.streams import generator

Predict = Callable[[slice], torch.Tensor]
"""predict(part) -> the lanes' outputs for a part of the split, (lanes, examples, outputs)."""


def judged_part(train: int, valid: int) -> torch.Tensor:
    """Return the indices of the training examples that are judged: as many as validation has, the same in every run."""
    if valid >= train:
        return torch.arange(train)
    return torch.randperm(train, generator=generator(0, "judged"))[:valid].sort().values


def evaluate(
    metrics: Sequence[Metric], evaluation: Evaluation, predict: Predict, chunk: int, check: Callable[[], None]
) -> torch.Tensor:
    """Return metrics of every lane on a split, (metrics, lanes) in float64.

    Of `chunk` examples at a time; `check` is called before each and may raise.
    """
    accumulators = [metric.accumulator(evaluation) for metric in metrics if metric.accumulator is not None]
    for first in range(0, len(evaluation.y), chunk):
        check()
        part = slice(first, first + chunk)
        predicted, y = predict(part), evaluation.y[part]
        each = y.expand(evaluation.lanes, *y.shape)
        for accumulator in accumulators:
            accumulator.add(predicted, each)
    return torch.stack([accumulator.result() for accumulator in accumulators])
