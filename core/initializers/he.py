"""He's initializers: they keep the variance of the signal through rectified layers."""

import math
from typing import Literal

from core.initializers import Initializer, Layer, Normal, Uniform, initializers
from core.registry import NonNegative

SOURCE = "He et al. 2015, arXiv:1502.01852"


@initializers.register(
    formula="U(-b, b), b = g·sqrt(3 / fan), g = sqrt(2 / (1 + a²))", source=SOURCE, aliases=["kaiming_uniform"]
)
def he_uniform(*, mode: Literal["fan_in", "fan_out"] = "fan_in", a: NonNegative = 0.0) -> Initializer:
    """Uniform of variance 2 / fan; `a` is the negative slope of a leaky rectifier."""
    return Initializer(lambda layer: Uniform.symmetric(math.sqrt(3) * _std(layer, mode, a)))


@initializers.register(
    formula="N(0, g / sqrt(fan)), g = sqrt(2 / (1 + a²)), not truncated", source=SOURCE, aliases=["kaiming_normal"]
)
def he_normal(*, mode: Literal["fan_in", "fan_out"] = "fan_in", a: NonNegative = 0.0) -> Initializer:
    """Normal of variance 2 / fan; `a` is the negative slope of a leaky rectifier."""
    return Initializer(lambda layer: Normal(0.0, _std(layer, mode, a)))


def _std(layer: Layer, mode: str, a: float) -> float:
    fan = layer.fans[mode == "fan_out"]
    return math.sqrt(2 / (1 + a * a) / max(1, fan))
