"""The general law that most named initializers are cases of."""

import math
from typing import Literal

from core.initializers import Initializer, Law, Layer, Normal, TruncatedNormal, Uniform, initializers
from core.registry import Positive


@initializers.register(
    formula="variance v = scale / fan, around 0; truncated_normal: N(0, sqrt(v) / 0.8796) cut at two of its sd; "
    "untruncated_normal: N(0, sqrt(v)); uniform: U(-b, b), b = sqrt(3v)",
    source="Keras 3, keras.initializers.VarianceScaling; fan_geo_avg: JAX 2025, jax.nn.initializers.variance_scaling",
    aliases=["VarianceScaling"],
)
def variance_scaling(
    *,
    scale: Positive = 1.0,
    mode: Literal["fan_in", "fan_out", "fan_avg", "fan_geo_avg"] = "fan_in",
    distribution: Literal["truncated_normal", "untruncated_normal", "uniform"] = "truncated_normal",
    groups_aware: bool = False,
) -> Initializer:
    """A distribution of variance scale / fan. The fan is of the inputs, the outputs, or their (geometric) mean.

    There is no plain "normal": Keras calls the truncated one so, JAX the other. `groups_aware` is that of `he_uniform`.
    """

    def weight(layer: Layer) -> Law:
        fan_in, fan_out = layer.group_fans if groups_aware else layer.fans
        fan = {
            "fan_in": fan_in,
            "fan_out": fan_out,
            "fan_avg": (fan_in + fan_out) / 2,
            "fan_geo_avg": math.sqrt(fan_in * fan_out),
        }[mode]
        std = math.sqrt(scale / fan)
        if distribution == "truncated_normal":
            return TruncatedNormal.of(std)
        return Normal(0.0, std) if distribution == "untruncated_normal" else Uniform.symmetric(math.sqrt(3) * std)

    return Initializer(weight)
