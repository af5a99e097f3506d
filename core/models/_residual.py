"""Parts that the models with residual branches share."""

from typing import TypeVar

import torch
from torch import nn
from torch.nn.functional import dropout
from torch.nn.modules.dropout import _DropoutNd

Layer = TypeVar("Layer", bound=nn.Module)


def ends_branch(layer: Layer) -> Layer:
    """Mark the layer whose output is added to the residual stream: initializers may treat it apart."""
    layer.ends_branch = True  # type: ignore[assignment]
    return layer


class StochasticDepth(_DropoutNd):
    """Drops a branch's whole output for each example with probability p (Huang et al. 2016, arXiv:1603.09382)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * dropout(x.new_ones(len(x), *[1] * (x.ndim - 1)), self.p, self.training)
