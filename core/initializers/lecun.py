"""The general rules: weights scaled by the number of inputs alone.

The standard deviation of `normal_rule` is sqrt(3) times that of `uniform_rule`: comparing the two compares scales too.
"""

import math

from core.initializers import Initializer, Normal, initializers, torch_law

SOURCE = "LeCun, Bottou, Orr & Müller 1998, Efficient BackProp"


@initializers.register(formula="U(-y, y), y = 1 / sqrt(fan_in)", source=SOURCE, aliases=["general_rule"])
def uniform_rule() -> Initializer:
    """Uniform of variance 1 / (3·fan_in); biases are 0, unlike in `torch_default`."""
    return Initializer(torch_law)


@initializers.register(formula="N(0, 1 / sqrt(fan_in)), not truncated", source=SOURCE)
def normal_rule() -> Initializer:
    """Normal of variance 1 / fan_in."""
    return Initializer(lambda layer: Normal(0.0, 1 / math.sqrt(max(1, layer.fans[0]))))
