"""The batches of an epoch: whether there are any, and whether a model can train on each."""

from functools import lru_cache

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from core.datasets import DatasetInfo
from core.errors import Problem
from core.registry import Entry
from core.spec._treatment import Treatment


def batches_refused(treatment: Treatment, data: DatasetInfo) -> Problem | None:
    """Return what is wrong with the batches of an epoch, the path being a field of the treatment; None: nothing is."""
    size, examples = treatment.batch_size, data.train
    if not treatment.updates_per_epoch(examples):
        message = f"leaves no batch at all: {examples:,} examples do not fill one of {size:,}"
        return Problem("drop_last", f"{message}; take a batch_size of at most {examples:,}, or train the smaller batch")
    last = size if treatment.drop_last else (examples - 1) % size + 1
    if last > 1 or trains_on_one(treatment.model, data.inputs, data.outputs):
        return None
    why = "and batch norm cannot train on a single value"
    others = (*range(min(size, examples) - 1, 1, -1), *range(size + 1, examples + 1))
    fits = next((other for other in others if examples % other != 1), None)
    if fits is None:
        return Problem("model", f"has one example to train on, {why}: take a model without")
    if size == 1:
        return Problem("batch_size", f"makes batches of 1 example, {why}: take one such as {fits:,}")
    message = f"leaves a last batch of 1 of {examples:,} examples, {why}"
    return Problem("batch_size", f'{message}: leave it out by "drop_last": true, or take a batch size such as {fits:,}')


@lru_cache(maxsize=1024)
def trains_on_one(model: Entry, inputs: tuple[int, ...], outputs: int) -> bool:
    """Return False where batch norm would see one value a channel: it has no variance, and torch refuses it."""
    with torch.device("meta"):
        module: nn.Module = model.build()(inputs, outputs)
        if not any(isinstance(layer, _BatchNorm) for layer in module.modules()):
            return True
        try:
            module.train()(torch.empty(1, *inputs))
        except ValueError:
            return False
    return True
