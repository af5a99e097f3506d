"""Models on the meta device: shapes without memory."""

from functools import lru_cache

import torch
from torch import nn

from core.registry import Entry


@lru_cache(maxsize=8)  # the lanes of a cohort, and the arms of an experiment, share their model; a deep one is 40 MB
def on_meta(model: Entry, inputs: tuple[int, ...], outputs: int) -> nn.Module:
    """Return a model without memory, to look at and not to change."""
    with torch.device("meta"):
        module: nn.Module = model.build()(inputs, outputs)
    return module
