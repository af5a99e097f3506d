"""The network of a treatment as the trainers take it: on the meta device, its dropout paired, its sizes known."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.func import functional_call

from core.datasets import Facts
from core.spec import Treatment
from core.training.dropout import PairedDropout, pair_dropout


@dataclass(frozen=True)
class Network:
    """A module on the meta device: its values are given per call by `torch.func.functional_call`, or loaded."""

    module: nn.Module
    dropout: dict[str, PairedDropout]
    """By name, in the order of the forward pass; each knows the shape of one example's mask."""
    widest: int
    """The most numbers that any layer takes or makes of one example: what evaluation needs memory for."""


def network(treatment: Treatment, data: Facts, values: Mapping[str, torch.Tensor]) -> Network:
    """Build the treatment's model for the data set and learn its shapes from one small forward pass.

    `values` are some run's parameters and buffers, on the CPU: a pass on the meta device would need none, but loads
    torch's compiler (1.4 s). Raises ValueError for a dropout layer that is called for two shapes, TypeError for a kind
    of dropout that cannot be paired.
    """
    with torch.device("meta"):
        module = treatment.model.build()(data.inputs, data.outputs)
    pair_dropout(module)
    layers = {name: layer for name, layer in module.named_modules() if isinstance(layer, PairedDropout)}
    widest = math.prod(data.inputs)

    def look(layer: nn.Module, _inputs: object, output: torch.Tensor) -> None:
        nonlocal widest
        widest = max(widest, output.numel())
        if isinstance(layer, PairedDropout):
            layer.learn(tuple(output.shape[1:]))

    hooks = [layer.register_forward_hook(look) for layer in module.modules() if not list(layer.children())]
    dtype = next(value.dtype for value in values.values() if value.is_floating_point())
    module.eval()
    with torch.no_grad():
        functional_call(module, dict(values), (torch.zeros(1, *data.inputs, dtype=dtype),))
    module.train()
    for hook in hooks:
        hook.remove()
    return Network(module, layers, widest)
