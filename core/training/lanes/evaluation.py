"""Evaluation of all lanes on a split, part by part."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from core.datasets import DatasetInfo
from core.metrics import Accumulator, Evaluation, Metric
from core.streams import generator
from core.training.lanes.grid import Grid

Predict = Callable[[torch.Tensor], torch.Tensor]
"""predict(x) -> the lanes' outputs, (lanes, examples, outputs), for examples that all share, (examples, *shape), or
each group's own, (groups, examples, *shape)."""


class Judged(NamedTuple):
    """The examples that lanes are judged on: the same for all, or of each seed its own."""

    x: torch.Tensor
    y: torch.Tensor
    rows: torch.Tensor | None = None
    """Which of the examples are each seed's, (seeds, n); None: all lanes are judged on all of them."""


def judged_part(train: int, valid: int) -> torch.Tensor:
    """Return the indices of the training examples that are judged: as many as validation has, the same in every run."""
    if valid >= train:
        return torch.arange(train)
    return torch.randperm(train, generator=generator(0, "judged"))[:valid].sort().values


def evaluate(
    metrics: Sequence[Metric],
    judged: Judged,
    info: DatasetInfo,
    grid: Grid,
    predict: Predict,
    chunk: int,
    check: Callable[[], None],
) -> torch.Tensor:
    """Return metrics of every lane on a split, (metrics, lanes) in float64.

    Of `chunk` examples at a time; `check` is called before each and may raise.
    """
    if judged.rows is not None:
        return _of_each_seed(metrics, judged, judged.rows, info, grid, predict, chunk, check)
    lanes = len(grid.lanes)
    accumulators = _accumulators(metrics, judged.y, lanes, info)
    for first in range(0, len(judged.y), chunk):
        check()
        part = slice(first, first + chunk)
        predicted, y = predict(judged.x[part]), judged.y[part]
        each = y.expand(lanes, *y.shape)
        for accumulator in accumulators:
            accumulator.add(predicted, each)
    return torch.stack([accumulator.result() for accumulator in accumulators])


def _of_each_seed(
    metrics: Sequence[Metric],
    judged: Judged,
    rows: torch.Tensor,
    info: DatasetInfo,
    grid: Grid,
    predict: Predict,
    chunk: int,
    check: Callable[[], None],
) -> torch.Tensor:
    """Return what `evaluate` does, where every seed has examples of its own: its lanes, side by side, share them."""
    counts = [sum(lane.seed == seed for lane in grid.lanes) for seed in grid.seeds]
    accumulators = [_accumulators(metrics, judged.y[own], count, info) for own, count in zip(rows, counts, strict=True)]
    for first in range(0, rows.shape[1], chunk):
        check()
        part = rows[:, first : first + chunk]
        x = judged.x.index_select(0, part.flatten()).view(*part.shape, *judged.x.shape[1:])
        of_seeds = predict(grid.per_group(x)).split(counts)
        for predicted, own, mine in zip(of_seeds, part, accumulators, strict=True):
            y = judged.y[own]
            for accumulator in mine:
                accumulator.add(predicted, y.expand(len(predicted), *y.shape))
    return torch.stack([torch.cat([one.result() for one in same]) for same in zip(*accumulators, strict=True)])


def _accumulators(metrics: Sequence[Metric], y: torch.Tensor, lanes: int, info: DatasetInfo) -> list[Accumulator]:
    asked = Evaluation(task=info.task, lanes=lanes, y=y, outputs=info.outputs)
    return [metric.accumulator(asked) for metric in metrics if metric.accumulator is not None]
