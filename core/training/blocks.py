"""How the stacks of a cohort's parameters lie in memory: one by one, or several small ones side by side."""

import math
from collections.abc import Mapping, Sequence

import torch


class Block:
    """Parameters that are updated together: one, in the memory order of its gradient, or several side by side.

    `memory` holds their values, contiguous: one parameter's as (lanes, *shape in that order), several as (lanes,
    numbers). Whatever an optimizer keeps of them is laid out in the same way.
    """

    def __init__(self, stacks: Mapping[str, torch.Tensor], order: Sequence[int] | None, device: str) -> None:
        """`stacks` are initial values, (lanes, *shape) each; `order` permutes a single one to its gradient's order."""
        self.shapes = {name: stack.shape[1:] for name, stack in stacks.items()}
        self._order = order
        self.memory = self.packed(list(stacks.values())).to(device, copy=True).contiguous()

    @property
    def numbers(self) -> int:
        """Of one lane."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    def packed(self, stacks: Sequence[torch.Tensor]) -> torch.Tensor:
        """The parameters' stacks, or their gradients, as they lie in memory; a view where it is one parameter."""
        if self._order is not None:
            return stacks[0].permute(*self._order)
        return torch.cat([stack.reshape(len(stack), -1) for stack in stacks], 1)

    def views(self, memory: torch.Tensor) -> dict[str, torch.Tensor]:
        """Each parameter's stack, (lanes, *shape), inside memory laid out like the block's own."""
        if self._order is not None:
            (name,) = self.shapes
            return {name: memory.permute(*(self._order.index(i) for i in range(memory.ndim)))}
        parts = memory.split([math.prod(shape) for shape in self.shapes.values()], 1)
        return {
            name: part.view(len(memory), *shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)
        }
