"""Glorot's initializers: they keep the variance of signal and gradient through linear layers."""

import math

from core.initializers import Initializer, Layer, Normal, TruncatedNormal, Uniform, initializers
from core.registry import Positive

SOURCE = "Glorot & Bengio 2010, PMLR 9:249-256"


@initializers.register(
    formula="U(-b, b), b = gain·sqrt(6 / (fan_in + fan_out))",
    source=SOURCE,
    aliases=["xavier_uniform", "xavier_uniform_", "GlorotUniform", "XavierUniform"],
)
def glorot_uniform(*, gain: Positive = 1.0, groups_aware: bool = False) -> Initializer:
    """Uniform of variance 2·gain² / (fan_in + fan_out).

    `groups_aware` counts the outputs of one group of a convolution; torch, Keras and Paddle count all in fan_out.
    """
    return Initializer(lambda layer: Uniform.symmetric(math.sqrt(3) * _std(layer, gain, groups_aware)))


@initializers.register(
    formula="N(0, gain·sqrt(2 / (fan_in + fan_out))), not truncated",
    source=SOURCE,
    aliases=["xavier_normal", "xavier_normal_", "XavierNormal"],
)
def glorot_normal(*, gain: Positive = 1.0, groups_aware: bool = False) -> Initializer:
    """Normal of variance 2·gain² / (fan_in + fan_out), as in torch and Paddle; Keras' is truncated."""
    return Initializer(lambda layer: Normal(0.0, _std(layer, gain, groups_aware)))


@initializers.register(
    formula="N(0, p) cut at ±2p, p = gain·sqrt(2 / (fan_in + fan_out)) / 0.8796",
    source=f"{SOURCE}; Keras 3, keras.initializers.GlorotNormal",
    aliases=["GlorotNormal"],
)
def glorot_normal_truncated(*, gain: Positive = 1.0, groups_aware: bool = False) -> Initializer:
    """Normal without its tails, of variance 2·gain² / (fan_in + fan_out) after the cut, as in Keras and JAX."""
    return Initializer(lambda layer: TruncatedNormal.of(_std(layer, gain, groups_aware)))


def _std(layer: Layer, gain: float, groups_aware: bool) -> float:
    return gain * math.sqrt(2 / sum(layer.group_fans if groups_aware else layer.fans))
