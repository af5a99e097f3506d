"""Gradients of lanes one after the other, by the module's plain path."""

from collections.abc import Callable

import torch

from core.training.lanes.forward import Tensors, one_by_one
from core.training.lanes.loss_scale import LossScales

LossOfLane = Callable[[int, Tensors, Tensors, torch.Tensor, torch.Tensor], torch.Tensor]
"""(the lane, its own tensors, those it shares, its batch, its labels) -> its loss, ()."""


class LoopedGradients:
    """Losses and gradients of every lane; each backward pass follows its forward pass, so that memory holds the values
    of one lane at a time.

    The gradients' stacks are the same memory in every call: use them before the next.
    """

    def __init__(self, parameters: Tensors, factors: Tensors) -> None:
        """Take the parameters' stacks, (lanes, *shape) each, and the factors of those that the forward pass scales."""
        self._gradients = [torch.empty_like(stack.detach()) for stack in parameters.values()]
        lanes = range(len(self._gradients[0]))
        self._into = [[stack[lane] for stack in self._gradients] for lane in lanes]
        self._leaves = [
            {name: stack[lane].detach().requires_grad_() for name, stack in parameters.items()} for lane in lanes
        ]
        self._factors = [{name: column[lane] for name, column in factors.items()} for lane in lanes]

    def __call__(
        self,
        loss_of: LossOfLane,
        buffers: Tensors,
        shared: Tensors,
        x: torch.Tensor,
        y: torch.Tensor,
        arms: int,
        *,
        scales: LossScales | None = None,
        add: bool = False,
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the losses, (lanes,), and the gradients in the parameters' order; inputs are those of `spread`.

        With `scales` the gradients are those of scaled losses, with `add` they are added to those of the call before.
        """
        put = torch._foreach_add_ if add else torch._foreach_copy_
        losses = []
        for lane, (own, masks, batch) in enumerate(one_by_one(buffers, shared, x, arms)):
            leaves = self._leaves[lane]
            scaled = {name: leaves[name] * factor for name, factor in self._factors[lane].items()}
            loss = loss_of(lane, {**leaves, **scaled, **own}, masks, batch, y[lane])
            differentiated = loss if scales is None else loss * scales.of(lane)
            put(self._into[lane], list(torch.autograd.grad(differentiated, list(leaves.values()))))
            losses.append(loss.detach())
        return torch.stack(losses), self._gradients
