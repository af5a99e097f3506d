"""Orthogonal maps: they keep lengths, and so the signal through any depth of linear layers."""

import math

import torch

from core.initializers import Initializer, Layer, Shape, Structured, initializers
from core.initializers._taps import centred, needs_kernel, per_group
from core.registry import Positive


@initializers.register(
    formula="W = gain·Q as (out, fan_in), Q uniform among matrices with orthonormal rows (out <= fan_in) or columns",
    source="Saxe, McClelland & Ganguli 2013, arXiv:1312.6120; Mezzadri 2007, arXiv:math-ph/0609050 (the signs)",
    aliases=["orthogonal_", "Orthogonal"],
)
def orthogonal(*, gain: Positive = 1.0) -> Initializer:
    """Rows or columns of one length, at right angles to one another; a convolution is flattened to (out, fan_in)."""
    return Initializer(lambda layer: orthogonal_law(layer, gain))


@initializers.register(
    formula="centre tap (k - 1) // 2 = gain·Q, Q with orthonormal columns; all else 0; convolutions with out >= in",
    source="Xiao et al. 2018, arXiv:1806.05393; jax.nn.initializers.delta_orthogonal",
)
def delta_orthogonal(*, gain: Positive = 1.0) -> Initializer:
    """An orthogonal map at the centre of the kernel: the convolution keeps lengths. Each group is a map of its own."""

    def weight(layer: Layer) -> Structured:
        needs_kernel("delta_orthogonal", layer)
        out, ins = layer.shape[0] // layer.groups, layer.shape[1]
        if out < ins:
            raise ValueError(
                f"delta_orthogonal keeps lengths only where there are at least as many outputs as inputs, "
                f"not with {out} and {ins}; try orthogonal"
            )
        std = gain * math.sqrt(ins * layer.groups / math.prod(layer.shape))
        taps = per_group(layer.groups, lambda shape, source: gain * _orthonormal(shape, source))
        make = centred(taps, lambda k: (k - 1) // 2)
        return Structured("delta_orthogonal", make, mean=0.0, std=std, bound=gain)

    return Initializer(weight)


def orthogonal_law(layer: Layer, gain: float = 1.0) -> Structured:
    """Return the law of `orthogonal`'s weight."""
    fan_in, _ = layer.fans
    std = gain / math.sqrt(max(layer.shape[0], fan_in))

    def make(shape: Shape, generator: torch.Generator) -> torch.Tensor:
        return gain * _orthonormal((shape[0], math.prod(shape[1:])), generator).reshape(shape)

    return Structured("orthogonal", make, mean=0.0, std=std, bound=gain)


def _orthonormal(shape: Shape, generator: torch.Generator) -> torch.Tensor:
    """Return a matrix with orthonormal rows or columns, whichever are fewer, uniform among all of them."""
    long, short = max(shape), min(shape)
    q, r = torch.linalg.qr(torch.randn(long, short, generator=generator, dtype=torch.float64))
    q = torch.where(r.diagonal() < 0, -q, q)  # QR's own choice of signs is not uniform
    return q if shape[0] == long else q.T
