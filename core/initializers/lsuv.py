"""Weights that a batch of data has tuned."""

import copy
import math
from typing import Annotated

import torch
from pydantic import Field
from torch import nn
from torch.func import functional_call
from torch.nn.modules.conv import _ConvNd

from core.initializers import Calibration, Initializer, State, initializers
from core.initializers.orthogonal import orthogonal_law
from core.registry import Positive

EPS = 1e-8


@initializers.register(
    formula="orthogonal weights; then layer by layer in the order of the forward pass, on one batch: "
    "while |sd(output) / std - 1| > tol: W *= std / (sd(output) + 1e-8)",
    source="Mishkin & Matas 2015, arXiv:1511.06422; the test is of the standard deviation, as in the authors' code",
)
def lsuv(
    *,
    tol: Positive = 0.1,
    max_iter: Annotated[int, Field(ge=1, le=1_000)] = 10,
    examples: Annotated[int, Field(ge=2, le=65_536)] = 256,
    std: Positive = 1.0,
) -> Initializer:
    """Layer-sequential unit variance: every layer's outputs are given the standard deviation `std`.

    `examples` of the training split are chosen by the seed. A layer stops after `max_iter` corrections, or where its
    outputs are all equal. Weights that the forward pass uses without calling a layer (an attention's projections)
    stay orthogonal.
    """

    def fit(module: nn.Module, state: State, x: torch.Tensor) -> State:
        module = copy.deepcopy(module)  # hooks would fire in others' forward passes
        state = {name: value.clone() for name, value in state.items()}
        tuned: set[nn.Module] = set()

        def tune(layer: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> torch.Tensor:
            """Correct a layer at its first call, after all layers before it; its corrected output is passed on."""
            for _ in range(max_iter if layer not in tuned else 0):
                spread = float(output.std())
                if not 0 < spread < math.inf or abs(spread / std - 1) <= tol:
                    break
                layer.weight.mul_(std / (spread + EPS))  # type: ignore[operator]  # the tensor in `state`
                output = layer.forward(*inputs)
            tuned.add(layer)
            return output

        for layer in module.modules():
            if isinstance(layer, nn.Linear | _ConvNd):
                layer.register_forward_hook(tune)
        with torch.no_grad():
            functional_call(module, state, (x,))
        return state

    return Initializer(orthogonal_law, calibration=Calibration(examples, fit, passes=max_iter + 1))
