"""The activations that models offer."""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field
from torch import nn

ActivationName = Literal["relu", "leaky_relu", "prelu", "elu", "selu", "gelu", "tanh", "sigmoid", "linear"]
NegativeSlope = Annotated[float, Field(ge=0, le=1)] | None

_ACTIVATIONS: dict[ActivationName, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "prelu": nn.PReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "linear": nn.Identity,
}


def activations(name: ActivationName, negative_slope: float | None = None) -> Callable[[], nn.Module]:
    """Return a constructor of activation modules, as torch has them: gelu exact, prelu with one slope a layer.

    `negative_slope` is leaky_relu's, 0.01 where it is None; raises ValueError where another activation is given one.
    """
    if negative_slope is None:
        return _ACTIVATIONS[name]
    if name != "leaky_relu":
        raise ValueError(f"negative_slope belongs to leaky_relu; leave it out with {name}")
    return lambda: nn.LeakyReLU(negative_slope)
