"""Layers that stand before others: the shape of the inputs, their scale, a border around pictures."""

from typing import Annotated, Any

import torch
from pydantic import BeforeValidator
from torch import nn

from core.models.layers import Built, LayerBuilder, Shape, layers
from core.models.layers._sizes import LONGEST, border_schema, picture_of
from core.registry import Alias, Real


@layers.register(
    formula="x",
    source="Chollet et al. 2015, Keras 3, keras.Input",
    aliases=[Alias("Input"), Alias("InputLayer")],
)
def input_layer() -> LayerBuilder:
    """Its inputs, unchanged; their shape is the data set's."""
    return lambda inputs, _outputs: Built({"": nn.Identity()}, inputs)


@layers.register(
    formula="scale·x + offset",
    source="Chollet et al. 2015, Keras 3, keras.layers.Rescaling",
    aliases=[Alias("Rescaling")],
)
def rescaling(*, scale: Real, offset: Real = 0.0) -> LayerBuilder:
    """Every number times `scale`, plus `offset`. Data sets are scaled already: pictures of bytes from 0 to 1."""
    return lambda inputs, _outputs: Built({"": Rescaled(scale, offset)}, inputs)


def _four(value: Any) -> Any:
    """Return a border as [[above, below], [left, right]], from one number, two, Keras' two pairs or torch's four."""
    if type(value) is int:
        value = [value, value]
    if isinstance(value, list | tuple) and len(value) == 4:
        left, right, above, below = value
        value = [[above, below], [left, right]]
    if isinstance(value, list | tuple) and len(value) == 2:
        pairs = [[side, side] if type(side) is int else side for side in value]
        sides = [one for pair in pairs if isinstance(pair, list | tuple) and len(pair) == 2 for one in pair]
        if len(sides) == 4 and all(type(one) is int and 0 <= one <= LONGEST for one in sides):
            return [sides[:2], sides[2:]]
    raise ValueError(
        f"should be a number from 0 to {LONGEST:,}, two (of the height and of the width), Keras' pairs "
        "[[above, below], [left, right]], or torch's four: left, right, above, below"
    )


@layers.register(
    formula="x with zeros around it",
    source="torch.nn.ZeroPad2d; keras.layers.ZeroPadding2D",
    aliases=[Alias("ZeroPad2d"), Alias("ZeroPadding2D")],
)
def zero_padding(
    *,
    padding: Annotated[list[list[int]], BeforeValidator(_four), border_schema()] = [[1, 1], [1, 1]],  # noqa: B006
) -> LayerBuilder:
    """A border of zeros around pictures: as many above, below, left and right as `padding` says."""
    (above, below), (left, right) = padding

    def build(inputs: Shape, _outputs: int) -> Built:
        channels, height, width = picture_of(inputs)
        return Built(
            {"": nn.ZeroPad2d((left, right, above, below))}, (channels, height + above + below, width + left + right)
        )

    return build


class Rescaled(nn.Module):
    """A number times another, plus a third."""

    def __init__(self, scale: float, offset: float) -> None:
        super().__init__()
        self.scale, self.offset = scale, offset

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.scale + self.offset
