"""Weight initializers: each maps a layer to the laws that its weight and its bias are drawn from."""

from core.initializers._cost import draw_seconds, tuning_seconds
from core.initializers._initializer import (
    Bias,
    Calibration,
    Initializer,
    Layer,
    OutputBias,
    Role,
    Scaling,
    State,
    Steps,
    finish,
    torch_law,
)
from core.initializers._laws import (
    CUT,
    KEPT,
    Constant,
    CutNormal,
    Law,
    Normal,
    Shape,
    Structured,
    TruncatedNormal,
    Uniform,
    fans,
)
from core.initializers._meanings import MEANINGS
from core.initializers._peers import read_peers
from core.initializers._preview import preview, preview_seconds
from core.registry import Registry

_TWO_RULES = "is a normal cut at two deviations in Keras, truncated_normal, and one cut at ±2 in Paddle, trunc_normal"
initializers = Registry(
    "initializer",
    __name__,
    common={"bias": (Bias, None), "output_bias": (OutputBias, None)},
    finish=finish,
    rewrite=read_peers,
    ambiguous={
        "TruncatedNormal": (f"{_TWO_RULES}: give one of these", ("truncated_normal", "trunc_normal")),
        "Normal": ("has another std in every library: give normal with its mean and std", ("normal",)),
        "Uniform": ("has another range in every library: give uniform with low and high", ("uniform",)),
    },
    meanings=MEANINGS,
)
InitializerEntry = initializers.field()

__all__ = [
    "CUT",
    "KEPT",
    "Calibration",
    "Constant",
    "CutNormal",
    "Initializer",
    "InitializerEntry",
    "Law",
    "Layer",
    "Normal",
    "Role",
    "Scaling",
    "Shape",
    "State",
    "Steps",
    "Structured",
    "TruncatedNormal",
    "Uniform",
    "draw_seconds",
    "fans",
    "initializers",
    "preview",
    "preview_seconds",
    "torch_law",
    "tuning_seconds",
]
