"""Weight initializers: each maps a layer to the laws that its weight and its bias are drawn from."""

from core.initializers._initializer import (
    Bias,
    Calibration,
    Initializer,
    Layer,
    Scaling,
    State,
    Steps,
    torch_law,
    with_bias,
)
from core.initializers._laws import Constant, Law, Normal, Shape, Uniform, fans
from core.initializers._preview import preview
from core.registry import Registry

initializers = Registry("initializer", __name__, common={"bias": (Bias, None)}, finish=with_bias)
InitializerEntry = initializers.field()

__all__ = [
    "Calibration",
    "Constant",
    "Initializer",
    "InitializerEntry",
    "Law",
    "Layer",
    "Normal",
    "Scaling",
    "Shape",
    "State",
    "Steps",
    "Uniform",
    "fans",
    "initializers",
    "preview",
    "torch_law",
]
