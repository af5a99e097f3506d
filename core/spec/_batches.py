"""A check of whether a model can train on a batch of one example."""

from functools import lru_cache

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from core.registry import Entry


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
