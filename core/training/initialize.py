"""Initial values of a run: a function of (initializer, seed, parameter's name), and of data where it asks for any."""

import copy
from collections.abc import Callable, Mapping
from functools import lru_cache

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from core.datasets import Facts
from core.initializers import Initializer, Law, Layer, State
from core.registry import Entry
from core.spec import Treatment, layers_of
from core.streams import generator

Examples = Callable[[int, int], torch.Tensor]
"""(seed, how many) -> training examples, (how many or all there are, *shape)."""
_Fill = Callable[[Initializer, int, torch.dtype], torch.Tensor]
"""(initializer, seed, dtype) -> one parameter's or buffer's initial value."""
_CONSTANT = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, nn.PReLU)
"""Layers that start from constants of their own."""


def initial_state(
    treatment: Treatment,
    data: Facts,
    seed: int,
    dtype: torch.dtype = torch.float32,
    examples: Examples | None = None,
) -> State:
    """The values that a run starts from, by the name of each parameter and buffer, in the model's order.

    Weights and biases of linear and convolution layers are drawn by the treatment's initializer, each from a stream of
    its own: arms with the same initializer start the same, and adding a layer leaves the others as they are. Norm
    layers start from their constants. An initializer that looks at data is given `examples`; without them it raises
    ValueError. Raises TypeError for a parameter or buffer of any other kind.
    """
    initializer: Initializer = treatment.initializer.build()
    module, fills = _fills(treatment.model, data.inputs, data.outputs)
    state = {name: fill(initializer, seed, dtype) for name, fill in fills.items()}
    if initializer.calibration is None:
        return state
    if examples is None:
        raise ValueError(f"{treatment.initializer.name} looks at data: it needs training examples")
    count, fit = initializer.calibration
    return fit(module, state, examples(seed, count).to(dtype))


def examples_of(x_train: torch.Tensor) -> Examples:
    """Examples of a training split: which ones is a function of the seed alone."""

    def choose(seed: int, count: int) -> torch.Tensor:
        order = torch.randperm(len(x_train), generator=generator(seed, "calibration"))
        return x_train.cpu()[order[:count]]

    return choose


@lru_cache(maxsize=64)
def _fills(model: Entry, inputs: tuple[int, ...], outputs: int) -> tuple[nn.Module, Mapping[str, _Fill]]:
    with torch.device("meta"):
        module: nn.Module = model.build()(inputs, outputs)
    module.eval()
    layers = layers_of(module)
    fills: dict[str, _Fill] = {}
    for prefix, part in module.named_modules():
        if prefix in layers:
            fills |= _drawn(layers[prefix], part)
        elif isinstance(part, _CONSTANT):
            fills |= _constants(prefix, part)
    unknown = [name for name in module.state_dict() if name not in fills]
    if unknown:
        raise TypeError(f"no rule for the initial values of {', '.join(unknown)}")
    return module, {name: fills[name] for name in module.state_dict()}


def _drawn(layer: Layer, part: nn.Module) -> dict[str, _Fill]:
    def fill(name: str, shape: tuple[int, ...], law: Callable[[Initializer], Law]) -> _Fill:
        return lambda initializer, seed, dtype: law(initializer).draw(shape, generator(seed, "initial", name), dtype)

    weight, bias = f"{layer.name}.weight", f"{layer.name}.bias"
    fills = {weight: fill(weight, layer.shape, lambda initializer: initializer.weight(layer))}
    if isinstance(part.bias, nn.Parameter):
        fills[bias] = fill(bias, tuple(part.bias.shape), lambda initializer: initializer.bias(layer))
    return fills


def _constants(prefix: str, part: nn.Module) -> dict[str, _Fill]:
    def fill(value: torch.Tensor) -> _Fill:
        return lambda _initializer, _seed, dtype: value.to(
            dtype if value.is_floating_point() else value.dtype, copy=True
        )

    part = copy.deepcopy(part).to_empty(device="cpu", recurse=False)
    part.reset_parameters()  # type: ignore[operator]
    return {f"{prefix}.{name}" if prefix else name: fill(value.detach()) for name, value in part.state_dict().items()}
