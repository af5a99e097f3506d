"""The time that drawing and tuning weights takes, estimated before it is done.

The constants are seconds of one core of an Intel Xeon of 2.6 GHz with torch 2.13 for the CPU, measured on 2026-11-29.
"""

import math

from core.initializers._initializer import Calibration, Initializer, Layer
from core.initializers._laws import Structured

VALUE = 2e-8
"""To draw one value, and look at it."""
ORTHOGONAL = 1.1e-10
"""To make a value of a matrix orthogonal, for each of its shorter side."""
OPERATION = 2.5e-11
"""Of a matrix product in float32."""
WEIGHT, OUTPUT = 1e-9, 1.5e-8
"""To correct a weight, and to look at an output."""


def draw_seconds(initializer: Initializer, layer: Layer) -> float:
    """Return the seconds to draw a layer's weight. Raises `ValueError` where it has no law for the layer."""
    values = math.prod(layer.shape)
    structured = isinstance(initializer.weight(layer), Structured)
    return values * (VALUE + structured * ORTHOGONAL * min(layer.shape[0], values // max(1, layer.shape[0])))


def tuning_seconds(calibration: Calibration, examples: int, weights: int, outputs: int, operations: int) -> float:
    """Return the seconds to tune a network's `weights`, whose `outputs` and `operations` are those of one example.

    The operations are in float32; in float64 each counts twice.
    """
    each = examples * (operations * OPERATION + outputs * OUTPUT) + weights * WEIGHT
    return calibration.passes * each
