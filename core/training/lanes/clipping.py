"""Gradient clipping of a cohort's lanes, each by its own bound."""

from collections.abc import Sequence

import torch

from core.spec import Clipping

TINY = 1e-6
"""Added to the length of a gradient, or taken for one of 0, as torch and timm have it."""
LEAST = 1e-3
"""The least length of a unit's weights, so that those that start at 0 can grow (Brock et al. 2021)."""


class Clip:
    """The clipping of lanes that share its rule, each with a bound of its own."""

    def __init__(self, clippings: Sequence[Clipping], device: str) -> None:
        self._rule = clippings[0].rule
        self._bounds = torch.tensor([one.bound for one in clippings], dtype=torch.float64, device=device)

    def __call__(self, parameters: Sequence[torch.Tensor], gradients: Sequence[torch.Tensor]) -> None:
        """Clip the gradients' stacks, (lanes, *shape) each, in place."""
        match self._rule:
            case "norm":
                by_norm(gradients, self._bounds)
            case "value":
                by_value(gradients, self._bounds)
            case "adaptive":
                adaptively(parameters, gradients, self._bounds)


def by_norm(gradients: Sequence[torch.Tensor], bounds: torch.Tensor) -> None:
    """Shorten each lane's gradient, of all stacks together, to at most its bound."""
    factors = (bounds / (total_lengths(gradients) + TINY)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(column(factors, gradient))


def by_value(gradients: Sequence[torch.Tensor], bounds: torch.Tensor) -> None:
    """Bring each number of a lane's gradient into -bound .. bound."""
    for gradient in gradients:
        most = column(bounds, gradient)
        torch.clamp(gradient, -most, most, out=gradient)


def adaptively(parameters: Sequence[torch.Tensor], gradients: Sequence[torch.Tensor], bounds: torch.Tensor) -> None:
    """Shorten each unit's gradient to the bound's part of the length of its weights."""
    for parameter, gradient in zip(parameters, gradients, strict=True):
        most = _lengths(parameter.detach()).clamp(min=LEAST) * column(bounds, gradient)
        length = _lengths(gradient)
        gradient.mul_(torch.where(length < most, 1.0, most / length.clamp(min=TINY)))


def _lengths(stack: torch.Tensor) -> torch.Tensor:
    """Return the length of each unit of each lane, ready to broadcast; a parameter of one dimension is one unit."""
    dims = tuple(range(1, stack.ndim)) if stack.ndim <= 2 else tuple(range(2, stack.ndim))
    lengths: torch.Tensor = torch.linalg.vector_norm(stack, dim=dims, keepdim=True) if dims else stack.abs()
    return lengths


def total_lengths(stacks: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the length of each lane's part of all stacks together, (lanes,).

    Every sum is over the innermost dimension: over another, a CPU rounds in another way where there is one lane.
    """
    each = [torch.linalg.vector_norm(g.flatten(1), dim=1) if g.ndim > 1 else g.abs() for g in stacks]
    total: torch.Tensor = torch.linalg.vector_norm(torch.stack(each, dim=1), dim=1)
    return total


def column(lanes: torch.Tensor, stack: torch.Tensor) -> torch.Tensor:
    """Return a number of each lane, (lanes,), ready to broadcast over its part of a stack, in the stack's type."""
    return lanes.to(stack.dtype).view(-1, *[1] * (stack.ndim - 1))
