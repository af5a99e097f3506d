"""The time that measuring a network's signal takes, estimated before it is done.

The constants are seconds of one core of an Intel Xeon of 2.6 GHz with torch 2.13 for the CPU, measured on 2026-11-29.
"""

from core.initializers import Initializer, draw_seconds, tuning_seconds
from core.spec import Size

CALL = 6e-4
"""To draw a layer's weight, hook it, and call it forward and back."""
OPERATION = 3.3e-11
"""Of a product in float64."""
ACTIVATION = 2e-8
"""To pass on a number, and to take its part in a variance."""


def signal_seconds(initializer: Initializer, network: Size, seeds: int, batch: int) -> float:
    """Return the seconds of one core that `signal` takes, as estimated."""
    operations = network.dense_flops + network.conv_flops
    seconds = CALL * network.calls + sum(draw_seconds(initializer, layer) for layer in network.layers.values())
    seconds += batch * (3 * operations * OPERATION + network.activations * ACTIVATION)
    if initializer.calibration is not None:
        examples = initializer.calibration.examples
        sizes = network.parameters, network.activations, 2 * operations
        seconds += tuning_seconds(initializer.calibration, examples, *sizes)
    return seeds * seconds
