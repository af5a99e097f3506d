"""One module, many lanes: the forward pass of a cohort."""

from collections.abc import Callable, Mapping

import torch
from torch import nn
from torch.func import functional_call, vmap

Tensors = Mapping[str, torch.Tensor]
Call = Callable[[Tensors, Tensors, torch.Tensor], torch.Tensor]
"""(one lane's own tensors, those it shares, its batch) -> the lane's result: one tensor."""


def forward(module: nn.Module, own: Tensors, shared: Tensors, x: torch.Tensor, arms: int) -> torch.Tensor:
    """Return the lanes' outputs for their batches, (lanes, batch, outputs)."""
    return spread(_caller(module), own, shared, x, arms)


def spread(call: Call, own: Tensors, shared: Tensors, x: torch.Tensor, arms: int) -> torch.Tensor:
    """Return `call`'s result for every lane, (lanes, ...).

    `own` are parameters and buffers, (groups * arms, *shape); `shared`, dropout masks, and x belong to a group of
    `arms` lanes each, (groups, batch, ...). What a group shares is never copied for its lanes, and its first product is
    one. A single lane takes the module's plain path, without vmap: on a CPU convolutions are faster so.
    """
    if len(x) * arms == 1:
        mine, masks = ({name: value.squeeze(0) for name, value in given.items()} for given in (own, shared))
        return call(mine, masks, _plain(x.squeeze(0))).unsqueeze(0)
    if arms == 1:
        return vmap(call)(own, shared, x)
    per_arm = vmap(call, (0, None, None))
    if len(x) == 1:
        return per_arm(own, {name: mask.squeeze(0) for name, mask in shared.items()}, x.squeeze(0))
    grid = {name: value.unflatten(0, (len(x), arms)) for name, value in own.items()}
    return vmap(per_arm)(grid, shared, x).flatten(0, 1)


def _caller(module: nn.Module) -> Call:
    def call(own: Tensors, shared: Tensors, x: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = functional_call(module, {**own, **shared}, (x,), tie_weights=False)
        return outputs

    return call


def _plain(x: torch.Tensor) -> torch.Tensor:
    """Return pictures in the layout in which the CPU's convolutions are 1.4 times faster (docs/decisions/0010)."""
    if x.ndim == 4 and x.device.type == "cpu":
        return x.contiguous(memory_format=torch.channels_last)
    return x
