"""The small convolutional network of the CIFAR-10 tutorials."""

from typing import Annotated

from pydantic import Field
from torch import nn

from core.models import Model, models
from core.models._activations import ActivationName, NegativeSlope, activations
from core.models._sizes import Rate, Width, picture
from core.models._widths import IsWidth


@models.register(
    formula="(conv -> batch norm -> activation) × convolutions -> max pool / 2 -> dropout, per block of channels; "
    "flatten; (linear -> activation -> dropout) per dense layer; linear",
    source="the CIFAR-10 examples of Keras (cifar10_cnn.py, 2015) and TensorFlow, with batch norm: arXiv:1502.03167",
)
def cnn(
    *,
    channels: Annotated[list[Width], Field(min_length=1, max_length=10), IsWidth()] = [32, 64, 128],  # noqa: B006
    convolutions: Annotated[int, Field(ge=1, le=16)] = 1,
    kernel_size: Annotated[int, Field(ge=1, le=31)] = 3,
    batch_norm: bool = True,
    activation: ActivationName = "relu",
    negative_slope: NegativeSlope = None,
    dropout: Rate = 0.25,
    dense: Annotated[list[Width], Field(max_length=16), IsWidth()] = [128],  # noqa: B006
    dense_dropout: Rate = 0.5,
) -> Model:
    """One block for every number in `channels`, each with `convolutions` layers that keep the picture's size and a
    max-pool that halves it; then the layers of `dense` and the output. Layers are named conv1, conv2, ..., fc1, ...
    `dropout` follows every block, `dense_dropout` every dense layer but the last. `kernel_size` is odd.
    """
    activate = activations(activation, negative_slope)
    if kernel_size % 2 == 0:
        raise ValueError(f"kernel_size {kernel_size} should be odd, so that padding can keep the picture's size")

    def build(inputs: tuple[int, ...], outputs: int) -> nn.Module:
        width, *sides = picture(inputs)
        fit = min(sides).bit_length() - 1
        if fit < len(channels):
            raise ValueError(
                f"channels ask for {len(channels)} max-pools, and {fit} fit pictures of {sides[0]} x {sides[1]}"
            )
        model = nn.Sequential()
        layer = 0
        for block, units in enumerate(channels, start=1):
            for _ in range(convolutions):
                layer += 1
                model.add_module(f"conv{layer}", nn.Conv2d(width, units, kernel_size, padding=kernel_size // 2))
                if batch_norm:
                    model.add_module(f"batch_norm{layer}", nn.BatchNorm2d(units))
                model.add_module(f"{activation}{layer}", activate())
                width = units
            model.add_module(f"pool{block}", nn.MaxPool2d(2))
            if dropout > 0:
                model.add_module(f"dropout{block}", nn.Dropout(dropout))
        model.add_module("flatten", nn.Flatten())
        width *= (sides[0] >> len(channels)) * (sides[1] >> len(channels))
        for i, units in enumerate(dense, start=1):
            model.add_module(f"fc{i}", nn.Linear(width, units))
            model.add_module(f"fc_{activation}{i}", activate())
            if dense_dropout > 0:
                model.add_module(f"fc_dropout{i}", nn.Dropout(dense_dropout))
            width = units
        model.add_module(f"fc{len(dense) + 1}", nn.Linear(width, outputs))
        return model

    return build
