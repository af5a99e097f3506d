"""Splits made by hand, and metrics of them."""

from collections.abc import Sequence
from typing import NamedTuple

import torch

from core.metrics import Evaluation, Task, metrics

LANES = 3


class Made(NamedTuple):
    """Outputs (lanes, examples, outputs) and the labels (examples,) or targets (examples, outputs) of a split."""

    task: Task
    outputs: torch.Tensor
    y: torch.Tensor


def perfect(split: Made) -> Made:
    """Return the split with outputs that are as right as they can be, in every lane."""
    if split.task == "multiclass":
        right = 30 * torch.nn.functional.one_hot(split.y, split.outputs.shape[-1]).double()
    else:
        right = 60 * split.y - 30 if split.task == "binary" else split.y
    return split._replace(outputs=right.expand_as(split.outputs).clone())


def made(task: Task, *, examples: int = 53, outputs: int = 7) -> Made:
    """Return a random split, on which models are a little right."""
    stream = torch.Generator().manual_seed(5)
    if task == "multiclass":
        y = torch.randint(outputs, (examples,), generator=stream)
        right = torch.nn.functional.one_hot(y, outputs).double()
    elif task == "binary":
        y = torch.randint(2, (examples, 1), generator=stream).double()
        right = 2 * y - 1
    else:
        y = right = torch.randn(examples, outputs, generator=stream, dtype=torch.float64)
    noise = torch.randn(LANES, *right.shape, generator=stream, dtype=torch.float64)
    return Made(task, right + noise, y)


def measured(name: str, split: Made, parts: Sequence[int] | None = None) -> list[float]:
    """Return a metric of every lane, the split given in parts of so many examples; None: all at once."""
    accumulator = metrics[name].accumulator
    assert accumulator is not None
    lanes, outputs = len(split.outputs), split.outputs.shape[-1]
    found = accumulator(Evaluation(task=split.task, lanes=lanes, y=split.y, outputs=outputs))
    sizes = [len(split.y)] if parts is None else list(parts)
    for outs, y in zip(split.outputs.split(sizes, 1), split.y.split(sizes), strict=True):
        found.add(outs, y.expand(lanes, *y.shape))
    result = found.result()
    assert (result.shape, result.dtype) == ((lanes,), torch.float64)
    return result.tolist()
