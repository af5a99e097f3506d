"""LeNet-5."""

from collections import OrderedDict
from typing import Annotated, Literal

from pydantic import Field
from torch import nn

from core.models import Model, models
from core.models._activations import ActivationName, NegativeSlope, activations
from core.models._sizes import picture
from core.models._widths import IsWidth

PADDED = 32
"""Smaller pictures get a border of 2: the paper's 28 x 28 digits lie in fields of 32 x 32."""
SMALLEST = 12


@models.register(
    formula="conv 6@5x5 -> pool / 2 -> conv 16@5x5 -> pool / 2 -> linear 120 -> linear 84 -> linear; activation after "
    "every layer but the last",
    source="LeCun, Bottou, Bengio & Haffner 1998, doi:10.1109/5.726791",
)
def lenet5(
    *,
    activation: ActivationName = "tanh",
    negative_slope: NegativeSlope = None,
    pool: Literal["average", "max"] = "average",
    width: Annotated[int, Field(ge=1, le=64), IsWidth()] = 1,
) -> Model:
    """LeCun's network for digits, for pictures of 12 x 12 or more and any number of channels; `width` multiplies the
    maps and the units between.

    Where it differs from the paper: subsampling is plain, without a factor and a bias to learn; tanh is not rescaled to
    1.7159 tanh(2x / 3); the second convolution sees all six maps; the outputs are linear, not radial basis functions.
    """
    activate = activations(activation, negative_slope)
    subsample = nn.AvgPool2d if pool == "average" else nn.MaxPool2d

    def build(inputs: tuple[int, ...], outputs: int) -> nn.Module:
        channels, high, wide = picture(inputs)
        padding = 2 if min(high, wide) < PADDED else 0
        rows, columns = (((side + 2 * padding - 4) // 2 - 4) // 2 for side in (high, wide))
        if min(rows, columns) < 1:
            raise ValueError(f"pictures of {high} x {wide} are too small for it; {SMALLEST} x {SMALLEST} is enough")
        layers: dict[str, nn.Module] = {
            "conv1": nn.Conv2d(channels, 6 * width, 5, padding=padding),
            f"{activation}1": activate(),
            "pool1": subsample(2),
            "conv2": nn.Conv2d(6 * width, 16 * width, 5),
            f"{activation}2": activate(),
            "pool2": subsample(2),
            "flatten": nn.Flatten(),
            "fc1": nn.Linear(16 * width * rows * columns, 120 * width),
            f"{activation}3": activate(),
            "fc2": nn.Linear(120 * width, 84 * width),
            f"{activation}4": activate(),
            "fc3": nn.Linear(84 * width, outputs),
        }
        return nn.Sequential(OrderedDict(layers))

    return build
