"""Memory layout of a cohort's parameter stacks: one by one, or several small ones side by side."""

import math
from collections.abc import Mapping, Sequence

import torch

SMALL = 2**12
"""Most numbers of a small parameter, of one lane: calls cost more than what they compute."""
ALIGNED = 16
"""Small parameters begin at multiples of so many numbers, in every lane: products of equal lanes are then equal bit for
bit, which the CPU's library promises for memory that is aligned alike."""


class Block:
    """Parameters that are updated together: one, in the memory order of its gradient, or several side by side.

    `memory` holds their values, contiguous: one parameter's as (lanes, *shape in that order), several as (lanes,
    numbers). Whatever an optimizer keeps of them is laid out in the same way.
    """

    def __init__(self, stacks: Mapping[str, torch.Tensor], order: Sequence[int] | None, device: str) -> None:
        """Copy `stacks`, (lanes, *shape) each; `order` permutes a single one to its gradient's memory order."""
        self.shapes = {name: stack.shape[1:] for name, stack in stacks.items()}
        self._order = order
        values = list(stacks.values())
        if order is not None:
            self.memory = values[0].permute(*order).to(device, copy=True).contiguous()
            return
        self._sizes = [math.prod(shape) for shape in self.shapes.values()]
        self._spans = [-(-size // ALIGNED) * ALIGNED for size in self._sizes]
        self.memory = torch.zeros(len(values[0]), sum(self._spans), dtype=values[0].dtype, device=device)
        for view, value in zip(self.views(self.memory).values(), values, strict=True):
            view.copy_(value)
        self._packed = torch.zeros_like(self.memory)
        self._packed_views = list(self.views(self._packed).values())

    @property
    def numbers(self) -> int:
        """Count of one lane's numbers."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    def packed(self, gradients: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return the gradients in the values' memory layout: a view of one; of several valid until the next call."""
        if self._order is not None:
            return gradients[0].permute(*self._order)
        torch._foreach_copy_(self._packed_views, list(gradients))
        return self._packed

    def views(self, memory: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return each parameter's stack, (lanes, *shape), inside memory laid out like the block's own."""
        if self._order is not None:
            (name,) = self.shapes
            return {name: memory.permute(*(self._order.index(i) for i in range(memory.ndim)))}
        parts = zip(self.shapes.items(), torch.split(memory, self._spans, 1), self._sizes, strict=True)
        return {name: part[:, :size].view(len(memory), *shape) for (name, shape), part, size in parts}
