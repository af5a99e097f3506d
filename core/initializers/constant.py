"""Every weight the same."""

from core.initializers import Constant, Initializer, initializers
from core.registry import Real

SYMMETRY = "Goodfellow, Bengio & Courville 2016, Deep Learning, section 8.4, on breaking symmetry"


@initializers.register(formula="w = 0", source=SYMMETRY, aliases=["zeros_", "Zeros"])
def zeros() -> Initializer:
    """All weights 0: the units of a hidden layer stay equal for ever."""
    return Initializer(lambda _layer: Constant(0.0))


@initializers.register(formula="w = 1", source=SYMMETRY, aliases=["ones_", "Ones"])
def ones() -> Initializer:
    """All weights 1: the units of a hidden layer start equal, and their output grows like fan_in."""
    return Initializer(lambda _layer: Constant(1.0))


@initializers.register(formula="w = value", source=SYMMETRY, aliases=["constant_", "Constant"])
def constant(*, value: Real) -> Initializer:
    """All weights `value`: the units of a hidden layer start equal."""
    return Initializer(lambda _layer: Constant(value))
