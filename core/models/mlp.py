"""The multi-layer perceptron."""

import math
from typing import Annotated, Literal

from pydantic import Field
from torch import nn

from core.models import Model, models

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "linear": nn.Identity,
}
Width = Annotated[int, Field(ge=1, le=65_536)]


@models.register(
    formula="x -> flatten -> (linear -> activation -> dropout) per hidden layer -> linear",
    source="Rumelhart, Hinton & Williams 1986, doi:10.1038/323533a0",
)
def mlp(
    *,
    hidden: Annotated[list[Width], Field(max_length=64)] = [256, 128],  # noqa: B006 pydantic copies defaults
    activation: Literal["relu", "tanh", "sigmoid", "linear"] = "relu",
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
) -> Model:
    """Dense layers of the widths in `hidden`, named fc1, fc2, ...; `dropout` follows every hidden layer."""

    def build(inputs: tuple[int, ...], outputs: int) -> nn.Module:
        layers: dict[str, nn.Module] = {"flatten": nn.Flatten()}
        width = math.prod(inputs)
        for i, units in enumerate(hidden, start=1):
            layers[f"fc{i}"] = nn.Linear(width, units)
            layers[f"{activation}{i}"] = ACTIVATIONS[activation]()
            if dropout > 0:
                layers[f"dropout{i}"] = nn.Dropout(dropout)
            width = units
        layers[f"fc{len(hidden) + 1}"] = nn.Linear(width, outputs)
        model = nn.Sequential()
        for name, layer in layers.items():
            model.add_module(name, layer)
        return model

    return build
