"""He's initializers: they keep the variance of the signal through rectified layers."""

import math
from collections.abc import Callable
from typing import Literal

from core.initializers import Initializer, Law, Layer, Normal, TruncatedNormal, Uniform, initializers
from core.registry import NonNegative

SOURCE = "He et al. 2015, arXiv:1502.01852"
Mode = Literal["fan_in", "fan_out"]


@initializers.register(
    formula="U(-b, b), b = g·sqrt(3 / fan), g = sqrt(2 / (1 + a²))",
    source=SOURCE,
    aliases=["kaiming_uniform", "kaiming_uniform_", "HeUniform", "KaimingUniform"],
)
def he_uniform(*, mode: Mode = "fan_in", a: NonNegative = 0.0, groups_aware: bool = False) -> Initializer:
    """Uniform of variance 2 / fan; `a` is the negative slope of a leaky rectifier.

    `groups_aware` divides the fan_out of a grouped convolution by its groups; torch, Keras and Paddle do not. fan_in
    counts the inputs of one group anyway.
    """
    return _he(lambda std: Uniform.symmetric(math.sqrt(3) * std), mode, a, groups_aware)


@initializers.register(
    formula="N(0, g / sqrt(fan)), g = sqrt(2 / (1 + a²)), not truncated",
    source=SOURCE,
    aliases=["kaiming_normal", "kaiming_normal_", "KaimingNormal"],
)
def he_normal(*, mode: Mode = "fan_in", a: NonNegative = 0.0, groups_aware: bool = False) -> Initializer:
    """Normal of variance 2 / fan, as in torch and Paddle; Keras' is truncated. Parameters as in `he_uniform`."""
    return _he(lambda std: Normal(0.0, std), mode, a, groups_aware)


@initializers.register(
    formula="N(0, p) cut at ±2p, p = g / sqrt(fan) / 0.8796, g = sqrt(2 / (1 + a²))",
    source=f"{SOURCE}; Keras 3, keras.initializers.HeNormal",
    aliases=["HeNormal"],
)
def he_normal_truncated(*, mode: Mode = "fan_in", a: NonNegative = 0.0, groups_aware: bool = False) -> Initializer:
    """Normal without its tails, of variance 2 / fan after the cut, as in Keras and JAX.

    Parameters as in `he_uniform`.
    """
    return _he(TruncatedNormal.of, mode, a, groups_aware)


def _he(law: Callable[[float], Law], mode: Mode, a: float, groups_aware: bool) -> Initializer:
    def weight(layer: Layer) -> Law:
        fan = (layer.group_fans if groups_aware else layer.fans)[mode == "fan_out"]
        return law(math.sqrt(2 / (1 + a * a) / fan))

    return Initializer(weight)
