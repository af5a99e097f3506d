"""LeCun's initializers and the general rules: weights scaled by the number of inputs alone.

The standard deviation of `normal_rule` is sqrt(3) times that of `uniform_rule`: comparing the two compares scales too.
`groups_aware`, which every rule by fans takes, changes nothing here: fan_in is the inputs of one group anyway.
"""

import math

from core.initializers import Initializer, Layer, Normal, TruncatedNormal, Uniform, initializers

SOURCE = "LeCun, Bottou, Orr & Müller 1998, Efficient BackProp"


@initializers.register(formula="U(-y, y), y = 1 / sqrt(fan_in)", source=SOURCE, aliases=["general_rule"])
def uniform_rule(*, groups_aware: bool = False) -> Initializer:
    """Uniform of variance 1 / (3·fan_in); biases are 0, unlike in `torch_default`."""
    return Initializer(lambda layer: Uniform.symmetric(_std(layer, groups_aware)))


@initializers.register(formula="N(0, 1 / sqrt(fan_in)), not truncated", source=SOURCE)
def normal_rule(*, groups_aware: bool = False) -> Initializer:
    """Normal of variance 1 / fan_in."""
    return Initializer(lambda layer: Normal(0.0, _std(layer, groups_aware)))


@initializers.register(formula="U(-b, b), b = sqrt(3 / fan_in)", source=SOURCE, aliases=["LecunUniform"])
def lecun_uniform(*, groups_aware: bool = False) -> Initializer:
    """Uniform of variance 1 / fan_in."""
    return Initializer(lambda layer: Uniform.symmetric(math.sqrt(3) * _std(layer, groups_aware)))


@initializers.register(
    formula="N(0, p) cut at ±2p, p = 1 / sqrt(fan_in) / 0.8796",
    source=f"{SOURCE}; Klambauer et al. 2017, arXiv:1706.02515; Keras 3, keras.initializers.LecunNormal",
    aliases=["LecunNormal", "lecun_normal_"],
)
def lecun_normal(*, groups_aware: bool = False) -> Initializer:
    """Normal without its tails, of variance 1 / fan_in after the cut; what SELU networks start from."""
    return Initializer(lambda layer: TruncatedNormal.of(_std(layer, groups_aware)))


def _std(layer: Layer, groups_aware: bool) -> float:
    return 1 / math.sqrt((layer.group_fans if groups_aware else layer.fans)[0])
