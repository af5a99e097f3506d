"""Glorot's initializers: they keep the variance of signal and gradient through linear layers."""

import math

from core.initializers import Initializer, Layer, Normal, Uniform, initializers
from core.registry import Positive

SOURCE = "Glorot & Bengio 2010, PMLR 9:249-256"


@initializers.register(
    formula="U(-b, b), b = gain·sqrt(6 / (fan_in + fan_out))", source=SOURCE, aliases=["xavier_uniform"]
)
def glorot_uniform(*, gain: Positive = 1.0) -> Initializer:
    """Uniform of variance 2·gain² / (fan_in + fan_out)."""
    return Initializer(lambda layer: Uniform.symmetric(math.sqrt(3) * _std(layer, gain)))


@initializers.register(
    formula="N(0, gain·sqrt(2 / (fan_in + fan_out))), not truncated", source=SOURCE, aliases=["xavier_normal"]
)
def glorot_normal(*, gain: Positive = 1.0) -> Initializer:
    """Normal of variance 2·gain² / (fan_in + fan_out)."""
    return Initializer(lambda layer: Normal(0.0, _std(layer, gain)))


def _std(layer: Layer, gain: float) -> float:
    return gain * math.sqrt(2 / max(1, sum(layer.fans)))
