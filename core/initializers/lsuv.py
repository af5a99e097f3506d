"""Weights that a batch of data has tuned."""

import copy
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
        module, state = copy.deepcopy(module), dict(state)  # hooks would fire in others' forward passes
        for name in _in_order(module, state, x):
            for _ in range(max_iter):
                spread = float(_output(module, state, x, name).std())
                if not 0 < spread < float("inf") or abs(spread / std - 1) <= tol:
                    break
                state[f"{name}.weight"] = state[f"{name}.weight"] * (std / (spread + EPS))
        return state

    return Initializer(orthogonal_law, calibration=Calibration(examples, fit))


class _Reached(Exception):
    """The forward pass has come as far as is needed."""


def _in_order(module: nn.Module, state: State, x: torch.Tensor) -> list[str]:
    """The layers' names in the order in which the forward pass first calls them."""
    called: dict[str, None] = {}
    layers = [(name, layer) for name, layer in module.named_modules() if isinstance(layer, nn.Linear | _ConvNd)]
    hooks = [
        layer.register_forward_hook(lambda _layer, _inputs, _output, name=name: called.update({name: None}))
        for name, layer in layers
    ]
    _forward(module, state, x[:1])
    for hook in hooks:
        hook.remove()
    return list(called)


def _output(module: nn.Module, state: State, x: torch.Tensor, name: str) -> torch.Tensor:
    """What the layer gives for x when it is first called; the forward pass ends there."""
    found: list[torch.Tensor] = []

    def stop(_layer: nn.Module, _inputs: object, output: torch.Tensor) -> None:
        found.append(output)
        raise _Reached

    hook = module.get_submodule(name).register_forward_hook(stop)
    try:
        _forward(module, state, x)
    except _Reached:
        pass
    finally:
        hook.remove()
    return found[0]


def _forward(module: nn.Module, state: State, x: torch.Tensor) -> None:
    with torch.no_grad():
        functional_call(module, state, (x,))
