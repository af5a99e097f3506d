"""The activation that a layer with weights may have, as Keras' layers do."""

from typing import Annotated, Any

from pydantic import BeforeValidator
from torch import nn

from core.models._activations import ActivationName, activations

SOFTMAX = "the loss computes the softmax of the outputs itself: leave it out"


def _read(value: Any) -> Any:
    if value in ("softmax", "log_softmax"):
        raise ValueError(SOFTMAX)
    return "linear" if value is None else value


Activation = Annotated[ActivationName, BeforeValidator(_read)]
"""The activation that follows in the same layer; "linear": none."""


def followed(activation: ActivationName) -> dict[str, nn.Module]:
    """Return the module of an activation, by what is added to its layer's name."""
    return {} if activation == "linear" else {f"-{activation}": activations(activation)()}
