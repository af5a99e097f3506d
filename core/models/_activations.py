"""The activations that models offer."""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from torch import nn

PEERS = {"swish": "silu", "hard_swish": "hardswish"}
"""Names that Keras, Paddle and timm have for activations which torch calls otherwise."""
ActivationName = Annotated[
    Literal[
        "relu",
        "leaky_relu",
        "prelu",
        "elu",
        "selu",
        "gelu",
        "silu",
        "mish",
        "hardswish",
        "softplus",
        "tanh",
        "sigmoid",
        "linear",
        "swish",
        "hard_swish",
    ],
    AfterValidator(lambda name: PEERS.get(name, name)),
]
"""The name of an activation; a peer's is written as torch's."""
NegativeSlope = Annotated[float, Field(ge=0, le=1)] | None

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "prelu": nn.PReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "hardswish": nn.Hardswish,
    "softplus": nn.Softplus,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "linear": nn.Identity,
}


def activations(name: str, negative_slope: float | None = None) -> Callable[[], nn.Module]:
    """Return a constructor of activation modules, as torch has them: gelu exact, prelu with one slope a layer.

    `negative_slope` is leaky_relu's, 0.01 where it is None; raises ValueError where another activation is given one.
    No initializer looks at the activation: gains are the spec's own. torch's `calculate_gain` has none for gelu, silu,
    mish, hardswish and softplus; those of He and Glorot are for rectifiers and for activations that are linear near 0.
    """
    if negative_slope is None:
        return ACTIVATIONS[name]
    if name != "leaky_relu":
        raise ValueError(f"negative_slope belongs to leaky_relu; leave it out with {name}")
    return lambda: nn.LeakyReLU(negative_slope)
