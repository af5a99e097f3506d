"""The network of a treatment as the trainers use it: on the meta device, with paired dropout and known sizes."""

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.func import functional_call
from torch.nn.functional import prelu, unfold

from core.datasets import DatasetInfo
from core.spec import Treatment, layers_of
from core.training.lanes.dropout import PairedDropout, pair_dropout
from core.training.lanes.parameter_blocks import SMALL


@dataclass(frozen=True)
class Network:
    """A module on the meta device: its values are given per call by `torch.func.functional_call`, or loaded."""

    module: nn.Module
    """Computes the model's outputs: with every ReLU behind the max-pool that follows it."""
    written: nn.Module
    """The same layers in the model's own order."""
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
        return product if self.bias is None else product + self.bias.to(product.dtype)


class StackedConvolution(nn.Conv2d):
    """A convolution for stacked weights, as a product of the weight and the patches that it meets.

    vmap makes one convolution of many groups of them, whose kernels, and so the last bits, depend on how many lanes
    there are, and in which a lane of NaN meets its neighbours' zeros.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.groups > 1 or self.padding_mode != "zeros" or isinstance(self.padding, str):
            return super().forward(x)
        patches = unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)
        product: torch.Tensor = self.weight.flatten(1) @ patches
        sides = [
            (side + 2 * p - d * (k - 1) - 1) // s + 1
            for side, k, p, d, s in zip(
                x.shape[-2:], self.kernel_size, self.padding, self.dilation, self.stride, strict=True
            )
        ]
        if self.bias is not None:
            product = product + self.bias.to(product.dtype).unsqueeze(1)
        pictures: torch.Tensor = product.unflatten(-1, sides)
        return pictures


class _InFloat32(nn.modules.batchnorm._BatchNorm):
    """A batch norm under autocast and vmap, where CUDA wants the statistics in the type of its input: in float32."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float()).to(x.dtype)


class StackedBatchNorm1d(_InFloat32, nn.BatchNorm1d):
    """Of rows."""


class StackedBatchNorm2d(_InFloat32, nn.BatchNorm2d):
    """Of pictures."""


class StackedPReLU(nn.PReLU):
    """A PReLU under autocast and vmap, where torch wants the slopes in the type of their input."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return prelu(x, self.weight.to(x.dtype))


def network(
    treatment: Treatment,
    data: DatasetInfo,
    values: Mapping[str, torch.Tensor],
    stacked: bool = False,
    mixed: bool = False,
) -> Network:
    """Build the treatment's model for the data set and learn its shapes from one small forward pass.

    With `stacked` it is made for stacks under vmap, with `mixed` for autocast to 16 bits. `values` are some run's
    parameters and buffers, on the CPU: a pass on the meta device would need none, but loads torch's compiler (1.4 s).
    Raises ValueError for a dropout layer that is called for two shapes, TypeError for a kind of dropout that cannot be
    paired, and for a model that uses one parameter under two names.
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
            best = layer.weight.numel() <= SMALL or layer is reads_data
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
    for layer in module.modules():
        if stacked and type(layer) is nn.Conv2d:
            layer.__class__ = StackedConvolution
        if stacked and mixed and type(layer) in _MIXED:
            layer.__class__ = _MIXED[type(layer)]
    wide = frozenset(f"{name}.weight" for name, layer in module.named_modules() if layer in on_rows)
    return Network(pooled_first(module), module, layers, widest, wide)


_MIXED: dict[type[nn.Module], type[nn.Module]] = {
    nn.BatchNorm1d: StackedBatchNorm1d,
    nn.BatchNorm2d: StackedBatchNorm2d,
    nn.PReLU: StackedPReLU,
}


def pooled_first(module: nn.Module) -> nn.Module:
    """Return a module of the same layers in which a max-pool goes before the ReLU that it followed.

    Both keep the order of numbers, so that values and gradients stay the same bits, and the ReLU has a quarter of the
    numbers: a sixth of a convolutional network's time on a CPU. Only within `nn.Sequential`, whose order is its own.
    """
    if not module._modules:
        return module
    copied = copy.copy(module)
    children = [(name, child and pooled_first(child)) for name, child in module._modules.items()]
    if type(module) is nn.Sequential:
        for i in range(len(children) - 1):
            (_, first), (_, then) = children[i : i + 2]
            if type(first) is nn.ReLU and type(then) is nn.MaxPool2d and not then.return_indices:
                children[i : i + 2] = reversed(children[i : i + 2])
    copied._modules = dict(children)
    return copied
