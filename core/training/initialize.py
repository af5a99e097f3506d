"""Initial values of a run: a function of (initializer, seed, parameter's name) alone."""

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd

from core.datasets import Facts
from core.initializers import Initializer, Law, Shape
from core.registry import Entry
from core.spec import Treatment
from core.streams import generator

_Fill = Callable[[Initializer, int, torch.dtype], torch.Tensor]
"""(initializer, seed, dtype) -> one parameter's or buffer's initial value."""


def initial_state(
    treatment: Treatment, data: Facts, seed: int, dtype: torch.dtype = torch.float32
) -> dict[str, torch.Tensor]:
    """The values that a run starts from, by the name of each parameter and buffer, in the model's order.

    Weights and biases of linear and convolution layers are drawn by the treatment's initializer, each from a stream of
    its own: arms with the same initializer start the same, and adding a layer leaves the others as they are. Norm
    layers start from their constants. Raises TypeError for a parameter or buffer of any other kind.
    """
    initializer: Initializer = treatment.initializer.build()
    fills = _fills(treatment.model, data.inputs, data.outputs)
    return {name: fill(initializer, seed, dtype) for name, fill in fills.items()}


@lru_cache(maxsize=64)
def _fills(model: Entry, inputs: tuple[int, ...], outputs: int) -> dict[str, _Fill]:
    with torch.device("meta"):
        module: nn.Module = model.build()(inputs, outputs)
    fills: dict[str, _Fill] = {}
    for prefix, layer in module.named_modules():
        for name, fill in _layer_fills(prefix, layer).items():
            fills[f"{prefix}.{name}" if prefix else name] = fill
    unknown = [name for name in module.state_dict() if name not in fills]
    if unknown:
        raise TypeError(f"no rule for the initial values of {', '.join(unknown)}")
    return {name: fills[name] for name in module.state_dict()}


def _layer_fills(prefix: str, layer: nn.Module) -> dict[str, _Fill]:
    if isinstance(layer, nn.Linear | _ConvNd):
        weight = tuple(layer.weight.shape)
        fills = {"weight": _drawn(f"{prefix}.weight", weight, lambda initializer: initializer.weight(weight))}
        if layer.bias is not None:
            shape = tuple(layer.bias.shape)
            fills["bias"] = _drawn(f"{prefix}.bias", shape, lambda initializer: initializer.bias(weight))
        return fills
    if isinstance(layer, _NormBase | nn.LayerNorm | nn.GroupNorm | nn.RMSNorm):
        layer.to_empty(device="cpu", recurse=False)
        layer.reset_parameters()
        return {name: _constant(value.detach()) for name, value in layer.state_dict().items()}
    return {}


def _drawn(name: str, shape: Shape, law: Callable[[Initializer], Law]) -> _Fill:
    return lambda initializer, seed, dtype: law(initializer).draw(shape, generator(seed, "initial", name), dtype)


def _constant(value: torch.Tensor) -> _Fill:
    return lambda _initializer, _seed, dtype: value.to(dtype if value.is_floating_point() else value.dtype, copy=True)
