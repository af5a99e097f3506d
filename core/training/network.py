"""The network of a treatment as the trainers take it: on the meta device, its dropout paired, its sizes known."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.func import functional_call

from core.datasets import Facts
from core.spec import Treatment, layers_of
from core.training.dropout import PairedDropout, pair_dropout


@dataclass(frozen=True)
class Network:
    """A module on the meta device: its values are given per call by `torch.func.functional_call`, or loaded."""

    module: nn.Module
    dropout: dict[str, PairedDropout]
    """By name, in the order of the forward pass; each knows the shape of one example's mask."""
    widest: int
    """The most numbers that any layer takes or makes of one example: what evaluation needs memory for."""
    wide: frozenset[str] = frozenset()
    """Weights, by name, of layers that take one input for many lanes: their stacks lie output by output."""


class SharedLinear(nn.Linear):
    """A dense layer on rows, (batch, inputs), that many lanes share: written so that vmap makes one product of all.

    torch takes `x @ w.mT` of one x and stacked weights apart, and a stack of `w @ x.mT` as one tall matrix.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        product = (self.weight @ x.mT).mT
        return product if self.bias is None else product + self.bias


def network(
    treatment: Treatment, data: Facts, values: Mapping[str, torch.Tensor], shared_inputs: bool = False
) -> Network:
    """Build the treatment's model for the data set and learn its shapes from one small forward pass.

    With `shared_inputs` a dense layer that reads the data is made for lanes that share their batches.
    `values` are some run's parameters and buffers, on the CPU: a pass on the meta device would need none, but loads
    torch's compiler (1.4 s). Raises ValueError for a dropout layer that is called for two shapes, TypeError for a kind
    of dropout that cannot be paired, and for a model that uses one parameter under two names.
    """
    with torch.device("meta"):
        module = treatment.model.build()(data.inputs, data.outputs)
    if len(dict(module.named_parameters())) < len(dict(module.named_parameters(remove_duplicate=False))):
        raise TypeError("a parameter that two layers share has no place in a stack")
    pair_dropout(module)
    layers = {name: layer for name, layer in module.named_modules() if isinstance(layer, PairedDropout)}
    widest = math.prod(data.inputs)
    first, on_rows = next(iter(layers_of(module))), False
    reads_data = dict(module.named_modules()).get(first)  # none where it is an attention's projection

    def look(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal widest, on_rows
        widest = max(widest, output.numel())
        if isinstance(layer, PairedDropout):
            layer.learn(tuple(output.shape[1:]))
        if layer is reads_data:
            on_rows = type(layer) is nn.Linear and inputs[0].ndim == 2

    hooks = [layer.register_forward_hook(look) for layer in module.modules() if not list(layer.children())]
    dtype = next(value.dtype for value in values.values() if value.is_floating_point())
    module.eval()
    with torch.no_grad():
        functional_call(module, dict(values), (torch.zeros(1, *data.inputs, dtype=dtype),))
    module.train()
    for hook in hooks:
        hook.remove()
    wide = shared_inputs and on_rows
    if wide:
        module.get_submodule(first).__class__ = SharedLinear
    return Network(module, layers, widest, frozenset({f"{first}.weight"} if wide else ()))
