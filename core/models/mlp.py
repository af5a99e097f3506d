"""The multi-layer perceptron."""

import math
from typing import Annotated, Literal

from pydantic import Field
from torch import nn

from core.models import Model, models
from core.models._activations import ActivationName, NegativeSlope, activations
from core.models._sizes import Rate, Width
from core.models._widths import IsWidth

NORMS: dict[str, type[nn.BatchNorm1d] | type[nn.LayerNorm]] = {
    "batch_norm": nn.BatchNorm1d,
    "layer_norm": nn.LayerNorm,
}


@models.register(
    formula="x -> flatten -> (linear -> norm -> activation -> dropout) per hidden layer -> linear",
    source="Rumelhart, Hinton & Williams 1986, doi:10.1038/323533a0",
)
def mlp(
    *,
    hidden: Annotated[list[Width], Field(max_length=64), IsWidth()] = [256, 128],  # noqa: B006 pydantic copies defaults
    activation: ActivationName = "relu",
    negative_slope: NegativeSlope = None,
    dropout: Rate = 0.0,
    norm: Literal["none", "batch_norm", "layer_norm"] = "none",
) -> Model:
    """Dense layers of the widths in `hidden`, named fc1, fc2, ...; `norm`, activation and `dropout` follow every hidden
    layer. Takes pictures and table rows alike. `negative_slope` (0.01) is leaky_relu's.
    """
    activate = activations(activation, negative_slope)

    def build(inputs: tuple[int, ...], outputs: int) -> nn.Module:
        model = nn.Sequential()
        model.add_module("flatten", nn.Flatten())
        width = math.prod(inputs)
        for i, units in enumerate(hidden, start=1):
            model.add_module(f"fc{i}", nn.Linear(width, units))
            if norm != "none":
                model.add_module(f"{norm}{i}", NORMS[norm](units))
            model.add_module(f"{activation}{i}", activate())
            if dropout > 0:
                model.add_module(f"dropout{i}", nn.Dropout(dropout))
            width = units
        model.add_module(f"fc{len(hidden) + 1}", nn.Linear(width, outputs))
        return model

    return build
