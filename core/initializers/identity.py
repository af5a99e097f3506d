"""Layers that pass their inputs on as they are."""

import math

import torch

from core.initializers import Initializer, Layer, Shape, Structured, initializers
from core.initializers._taps import Make, centred, needs_kernel, needs_matrix, per_group
from core.registry import Count, Positive


@initializers.register(
    formula="W = gain·I, rectangular where out differs from in; dense layers",
    source="Le, Jaitly & Hinton 2015, arXiv:1504.00941",
    aliases=["eye", "eye_", "Identity"],
)
def identity(*, gain: Positive = 1.0) -> Initializer:
    """Each output is `gain` times the input of its number, as far as there is one."""

    def weight(layer: Layer) -> Structured:
        needs_matrix("identity", layer)
        return _ones("identity", layer.shape, min(layer.shape), lambda shape, _: gain * eye(shape), gain)

    return Initializer(weight)


@initializers.register(
    formula="w[g·out / groups + d, d, k // 2] = 1 for group g and d < min(out, in) / groups; all else 0; convolutions",
    source="Zagoruyko & Komodakis 2017, arXiv:1706.00388; torch.nn.init.dirac_",
    aliases=["dirac_", "Dirac"],
)
def dirac(*, groups: Count | None = None) -> Initializer:
    """Each output channel is the input channel of its number in its group. `groups`, left out, are the layer's own."""

    def weight(layer: Layer) -> Structured:
        needs_kernel("dirac", layer)
        parts = groups or layer.groups
        out, ins = layer.shape[:2]
        if out % parts:
            raise ValueError(f"dirac with groups {parts} needs a multiple of {parts} output channels, not {out}")
        make = centred(per_group(parts, lambda shape, _: eye(shape)), lambda k: k // 2)
        return _ones("dirac", layer.shape, parts * min(out // parts, ins), make)

    return Initializer(weight)


def eye(shape: Shape) -> torch.Tensor:
    """Return the (out, in) matrix with ones on its diagonal, in float64."""
    return torch.eye(*shape, dtype=torch.float64)


def _ones(distribution: str, shape: Shape, count: int, make: Make, gain: float = 1.0) -> Structured:
    """Return the law of `count` values of `gain` among zeros."""
    share = count / math.prod(shape)
    return Structured(distribution, make, gain * share, gain * math.sqrt(share * (1 - share)), gain)
