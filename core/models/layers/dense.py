"""Dense layers, and what makes rows of pictures."""

import math

from torch import nn

from core.models.layers import Built, LayerBuilder, Shape, layers
from core.models.layers._activation import Activation, followed
from core.models.layers._sizes import Outputs, shown, width_of
from core.registry import Alias


@layers.register(
    formula="activation(W x + b)",
    source="torch.nn.Linear; keras.layers.Dense",
    aliases=[Alias("Linear"), Alias("Dense")],
)
def dense(*, units: Outputs, bias: bool = True, activation: Activation = "linear") -> LayerBuilder:
    """A layer of `units` neurons, each of which sees all inputs.

    It takes rows of numbers; Keras and torch would apply it to the last side of a picture.
    """

    def build(inputs: Shape, outputs: int) -> Built:
        if len(inputs) != 1:
            raise ValueError(f'takes rows of numbers, and gets {shown(inputs)}: put "flatten" before it')
        out = width_of(units, outputs)
        return Built({"": nn.Linear(inputs[0], out, bias=bias)} | followed(activation), (out,))

    return build


@layers.register(
    formula="(channels, height, width) -> channels * height * width, in this order",
    source="torch.nn.Flatten; keras.layers.Flatten, which has channels last",
    aliases=[Alias("Flatten")],
)
def flatten() -> LayerBuilder:
    """All numbers of an example in one row, channel by channel, as torch has them.

    Keras has channels last and goes pixel by pixel: the same network, but for the order of the next layer's inputs.
    """
    return lambda inputs, _outputs: Built({"": nn.Flatten()}, (math.prod(inputs),))
