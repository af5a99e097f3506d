"""The network of a treatment as the trainers use it: on the meta device, with paired dropout and known sizes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.func import functional_call

from core.datasets import DatasetInfo
from core.spec import Treatment, layers_of
from core.training.lanes.dropout import PairedDropout, pair_dropout
from core.training.lanes.parameter_blocks import SMALL


@dataclass(frozen=True)
class Network:
    """A module on the meta device: its values are given per call by `torch.func.functional_call`, or loaded."""

    module: nn.Module
    dropout: dict[str, PairedDropout]
    """Dropout layers by name, in the order of the forward pass; each knows the shape of one example's mask."""
    widest: int
    """The most inputs or outputs of any layer for one example, which bounds evaluation's memory."""
    wide: frozenset[str] = frozenset()
    """Names of the weights of `StackedLinear` layers: their stacks, and gradients, lie output by output."""


class StackedLinear(nn.Linear):
    """A dense layer on rows, (batch, inputs), for stacked weights: written so that vmap makes the best product of it.

    torch takes `x @ w.mT` of one x and stacked weights apart, and a stack of `w @ x.mT` as one tall matrix. That is
    as fast or faster where lanes share their batches and, of small layers, always; a large one judges a whole split 1.4
    times faster in torch's own way (docs/decisions/0010).
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training and self.weight.numel() > SMALL:
            return super().forward(x)
        product = (self.weight @ x.mT).mT
        return product if self.bias is None else product + self.bias


def network(
    treatment: Treatment,
    data: DatasetInfo,
    values: Mapping[str, torch.Tensor],
    stacked: bool = False,
    shared_inputs: bool = False,
) -> Network:
    """Build the treatment's model for the data set and learn its shapes from one small forward pass.

    With `stacked` it is made for the stacks of several lanes, with `shared_inputs` for lanes that share their batches.
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
    reads_data = dict(module.named_modules()).get(next(iter(layers_of(module))))  # none: an attention's projection
    on_rows: set[nn.Module] = set()

    def learn_shapes(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal widest
        widest = max(widest, output.numel())
        if isinstance(layer, PairedDropout):
            layer.learn(tuple(output.shape[1:]))
        if stacked and isinstance(layer, nn.Linear) and inputs[0].ndim == 2:
            best = layer.weight.numel() <= SMALL or (shared_inputs and layer is reads_data)
            on_rows.update({layer} if best else ())

    hooks = [layer.register_forward_hook(learn_shapes) for layer in module.modules() if not list(layer.children())]
    dtype = next(value.dtype for value in values.values() if value.is_floating_point())
    module.eval()
    with torch.no_grad():
        functional_call(module, dict(values), (torch.zeros(1, *data.inputs, dtype=dtype),))
    module.train()
    for hook in hooks:
        hook.remove()
    for layer in on_rows:
        layer.__class__ = StackedLinear
    wide = frozenset(f"{name}.weight" for name, layer in module.named_modules() if layer in on_rows)
    return Network(module, layers, widest, wide)
