"""Hooks that measure the layers' activations in a forward pass, a plain one or that of every lane under vmap."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn
from torch.func import functional_call
from torch.nn.modules.conv import _ConvNd

from core.spec import PROJECTIONS, layers_of

ACTIVATIONS = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid),
    *(nn.Mish, nn.Softplus, nn.Hardswish, nn.Hardsigmoid),
)
BOUNDS: Mapping[type[nn.Module], tuple[float, float]] = {nn.Sigmoid: (0.0, 1.0), nn.Tanh: (-1.0, 1.0)}
EDGE = 0.025
"""A sigmoid or tanh is saturated within this part of its range from a bound: below 0.025 or above 0.975, and beyond
0.95 either way, where its slope is less than a tenth of the steepest."""
OnActivation = Callable[[str, nn.Module, torch.Tensor, nn.Module | None], None]
"""(a layer's name, the layer, its activation, and the module that made that of its output; None: it is the output)."""


@contextmanager
def activations(module: nn.Module, given: OnActivation) -> Iterator[None]:
    """Call `given` with every layer's activation in each forward pass inside the context.

    A layer's activation is what the first activation module gives that is called after it and before the next layer;
    of a layer that none follows, such as the last, its own output. A layer whose module is never called has none, as an
    attention's projections that torch fuses.
    """
    last: list[tuple[str, nn.Module, torch.Tensor]] = []

    def of_layer(name: str, layer: nn.Module, y: torch.Tensor) -> None:
        flush()
        last.append((name, layer, y))

    def of_activation(activation: nn.Module, y: torch.Tensor) -> None:
        if last:
            name, layer, _ = last.pop()
            given(name, layer, y, activation)

    def flush() -> None:
        if last:
            given(*last.pop(), None)

    layers = layers_of(module)
    hooks = []
    for name, part in module.named_modules():
        if name in layers:
            hooks.append(part.register_forward_hook(lambda part, _, y, name=name: of_layer(name, part, y)))
        elif isinstance(part, ACTIVATIONS):
            hooks.append(part.register_forward_hook(lambda part, _, y: of_activation(part, y)))
    hooks.append(module.register_forward_hook(lambda *_: flush()))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


class Probe:
    """Calls a module as `forward` does, and returns what its layers gave instead of its outputs.

    Of a layer that a pass calls several times it is the last call's.
    """

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        self.names: list[str] = []
        """Names of the values that a call measures, known after the first call."""

    def __call__(
        self, own: Mapping[str, torch.Tensor], shared: Mapping[str, torch.Tensor], x: torch.Tensor
    ) -> torch.Tensor:
        """Return one lane's measurements, (names,), without gradients; norms update the buffers in `own`."""
        found: dict[str, torch.Tensor] = {}

        def given(name: str, layer: nn.Module, y: torch.Tensor, activation: nn.Module | None) -> None:
            found.update({f"{kind}/{name}": value for kind, value in _measured(layer, y, activation)})

        with activations(self._module, given), torch.no_grad():
            functional_call(self._module, {**own, **shared}, (x,), tie_weights=False)
        self.names = list(found)
        return torch.stack(list(found.values()))


def _measured(layer: nn.Module, y: torch.Tensor, activation: nn.Module | None) -> Iterator[tuple[str, torch.Tensor]]:
    y = y.float() if y.dtype in (torch.bfloat16, torch.float16) else y
    unit = 1 if isinstance(layer, _ConvNd) else y.ndim - 1
    # counted as floats: torch's CPU adds up booleans ten times as slowly, as its std goes through the values
    not_zero = y.sign().abs_().sum([dimension for dimension in range(y.ndim) if dimension != unit])
    mean = y.mean()
    yield "activation_mean", mean
    yield "activation_std", _std(y - mean)
    yield "activation_zeros", 1 - not_zero.sum() / y.numel()
    if isinstance(activation, nn.ReLU):
        yield "activation_dead", (not_zero == 0).to(y.dtype).mean()
    if activation is not None and type(activation) in BOUNDS:
        low, high = BOUNDS[type(activation)]
        edge = EDGE * (high - low)
        yield "activation_saturated", ((y < low + edge) | (y > high - edge)).to(y.dtype).mean()


def _std(centred: torch.Tensor) -> torch.Tensor:
    largest = centred.abs().amax()
    scale = torch.where(largest == 0, 1.0, largest)  # squares of very small and very large values have no float
    return (centred / scale).square().mean().sqrt() * scale


def places(module: nn.Module) -> dict[str, tuple[str, slice]]:
    """Return the place of each layer's weight: the parameter's name, and its rows."""
    parameters = dict(module.named_parameters())
    found: dict[str, tuple[str, slice]] = {}
    for name, layer in layers_of(module).items():
        whole, _, projection = name.rpartition(".")
        rows = layer.shape[0]
        if f"{name}.weight" in parameters:
            found[name] = f"{name}.weight", slice(None)
        elif f"{whole}.in_proj_weight" in parameters:  # query, key and value, one above the other
            first = PROJECTIONS.index(projection) * rows
            found[name] = f"{whole}.in_proj_weight", slice(first, first + rows)
        else:
            found[name] = f"{name}_weight", slice(None)
    return found
