"""The width of a model: the parameters that set how many units, channels or features its hidden layers have."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import torch
from torch import nn

from core.registry import Entry


class IsWidth:
    """Marks a model's parameter that is its width, or a list of them, in the parameter's annotation."""


def width_fields(model: Entry) -> list[str]:
    """Return the parameters that are the model's width: `["hidden"]` of `mlp`; none of a model of one size."""
    fields = type(model).model_fields.items()
    return [name for name, field in fields if any(isinstance(mark, IsWidth) for mark in field.metadata)]


def at_width(model: Entry, width: int) -> dict[str, Any]:
    """Return the parameters of the same model with every width set to `width`, in a list each of them."""
    given = model.parameters()
    return given | {
        name: [width] * len(given[name]) if isinstance(given[name], list) else width for name in width_fields(model)
    }


@lru_cache(maxsize=1024)
def growth(model: Entry, inputs: tuple[int, ...], outputs: int) -> Mapping[str, tuple[int, ...]] | None:
    """Return the growth of each parameter's dimensions with one unit of the model's width, by the parameter's name.

    0 is of a dimension that stays: inputs, outputs, the sides of a kernel. None: the model has no width. As the
    mup package does it, two networks of different widths are compared; the entry's limits do not hold for them.
    """
    if not width_fields(model):
        return None
    own = [value for name in width_fields(model) if isinstance(value := model.parameters()[name], int)]
    narrow = max(own, default=1)  # what fits one such number fits its double: heads divide both
    with torch.device("meta"):
        first, second = (_at(model, width)(inputs, outputs) for width in (narrow, 2 * narrow))
    shapes = zip(first.named_parameters(), second.parameters(), strict=True)
    return {
        name: tuple((long - short) // narrow for short, long in zip(one.shape, other.shape, strict=True))
        for (name, one), other in shapes
    }


def _at(model: Entry, width: int) -> Callable[[tuple[int, ...], int], nn.Module]:
    built: Callable[[tuple[int, ...], int], nn.Module] = type(model).factory(**at_width(model, width))
    return built
