"""Units that listen to few others."""

import math
from fractions import Fraction
from typing import Annotated

import torch
from pydantic import Field

from core.initializers import Initializer, Layer, Shape, Structured, initializers
from core.initializers._taps import needs_matrix
from core.registry import NonNegative


@initializers.register(
    formula="N(0, std), then ceil(sparsity·out) zeros in every column (the weights of one input); dense layers",
    source="Martens 2010, Deep learning via Hessian-free optimization; torch.nn.init.sparse_",
    aliases=["sparse_"],
)
def sparse(*, sparsity: Annotated[float, Field(ge=0, le=1)], std: NonNegative = 0.01) -> Initializer:
    """Normal weights, of which each input keeps the same number, chosen at random."""

    def make(shape: Shape, generator: torch.Generator) -> torch.Tensor:
        values = torch.empty(shape, dtype=torch.float64).normal_(0, std, generator=generator)
        chances = torch.rand(shape[::-1], generator=generator, dtype=torch.float64)
        return values.scatter_(0, chances.topk(_zeros(sparsity, shape[0])).indices.T, 0.0)

    def weight(layer: Layer) -> Structured:
        needs_matrix("sparse", layer)
        kept = 1 - _zeros(sparsity, layer.shape[0]) / layer.shape[0]
        return Structured("sparse normal", make, mean=0.0, std=std * math.sqrt(kept))

    return Initializer(weight)


def _zeros(sparsity: float, out: int) -> int:
    """Return ceil(sparsity · out), computed in decimal: in floats 0.07 · 100 is more than 7."""
    return math.ceil(Fraction(str(sparsity)) * out)
