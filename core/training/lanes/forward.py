"""One module, many lanes: the forward pass of a cohort."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import torch
from torch import nn
from torch.func import functional_call, vmap

from core.training.options import Layout

Tensors = Mapping[str, torch.Tensor]
Call = Callable[[Tensors, Tensors, torch.Tensor], torch.Tensor]
"""(one lane's own tensors, those it shares, its batch) -> the lane's result: one tensor."""


class LaneInputs(NamedTuple):
    """One lane's inputs of a pass."""

    tensors: Tensors
    """Its parameters and buffers, views of the stacks."""
    shared: Tensors
    """Tensors of its group, such as dropout masks."""
    x: torch.Tensor
    """Its batch, (batch, ...)."""


def forward(
    module: nn.Module, own: Tensors, shared: Tensors, x: torch.Tensor, arms: int, layout: Layout
) -> torch.Tensor:
    """Return the lanes' outputs for their batches, (lanes, batch, outputs)."""
    return spread(caller(module), own, shared, x, arms, layout)


def spread(call: Call, own: Tensors, shared: Tensors, x: torch.Tensor, arms: int, layout: Layout) -> torch.Tensor:
    """Return `call`'s result for every lane, (lanes, ...).

    `own` are parameters and buffers, (groups * arms, *shape); `shared`, dropout masks, and x belong to a group of
    `arms` lanes each, (groups, batch, ...). What a group shares is never copied for its lanes, and by vmap its first
    product is one.
    """
    if layout == "loop":
        return torch.stack([call(*lane) for lane in one_by_one(own, shared, x, arms)])
    if arms == 1:
        return vmap(call)(own, shared, x)
    per_arm = vmap(call, (0, None, None))
    if len(x) == 1:
        return per_arm(own, {name: mask.squeeze(0) for name, mask in shared.items()}, x.squeeze(0))
    grid = {name: value.unflatten(0, (len(x), arms)) for name, value in own.items()}
    return vmap(per_arm)(grid, shared, x).flatten(0, 1)


def one_by_one(own: Tensors, shared: Tensors, x: torch.Tensor, arms: int) -> Iterator[LaneInputs]:
    """Yield every lane's inputs; the arguments are those of `spread`."""
    lanes = _unbound(own, len(x) * arms)
    for masks, batch in zip(_unbound(shared, len(x)), x.unbind(0), strict=True):
        pictures = _plain(batch)
        for _ in range(arms):
            yield LaneInputs(next(lanes), masks, pictures)


def caller(module: nn.Module) -> Call:
    """Return the module's forward pass as a function of its tensors."""

    def call(own: Tensors, shared: Tensors, x: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = functional_call(module, {**own, **shared}, (x,), tie_weights=False)
        return outputs

    return call


def _unbound(stacks: Tensors, count: int) -> Iterator[dict[str, torch.Tensor]]:
    """Yield the views of each of `count` entries of the stacks."""
    views = {name: stack.unbind(0) for name, stack in stacks.items()}
    return ({name: each[i] for name, each in views.items()} for i in range(count))


def _plain(x: torch.Tensor) -> torch.Tensor:
    """Return pictures in the layout in which the CPU's convolutions are 1.4 times faster (docs/decisions/0010)."""
    if x.ndim == 4 and x.device.type == "cpu":
        return x.contiguous(memory_format=torch.channels_last)
    return x
