"""The width of a model: the parameters that set how many units, channels or features its hidden layers have."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import torch
from torch import nn

from core.models._meta import on_meta
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


def structure(model: Entry) -> tuple[object, ...]:
    """Return what models share that differ in their width alone: they have as many layers."""
    widths = width_fields(model)
    given = model.parameters().items()
    own = {name: (len(value) if isinstance(value, list) else 1) if name in widths else value for name, value in given}
    return type(model), repr(own)


@lru_cache(maxsize=256)
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
        is_narrow = at_width(model, narrow) == model.parameters()
        first = on_meta(model, inputs, outputs) if is_narrow else _at(model, narrow)(inputs, outputs)
        second = _at(model, 2 * narrow)(inputs, outputs)
    shapes = zip(first.named_parameters(), second.parameters(), strict=True)
    return {
        name: tuple((long - short) // narrow for short, long in zip(one.shape, other.shape, strict=True))
        for (name, one), other in shapes
    }


def _at(model: Entry, width: int) -> Callable[[tuple[int, ...], int], nn.Module]:
    built: Callable[[tuple[int, ...], int], nn.Module] = type(model).factory(**at_width(model, width))
    return built
