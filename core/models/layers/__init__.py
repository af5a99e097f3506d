"""Layers that a `sequential` model lists: each knows its modules, and the shape of what it gives."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import nn

from core.models.layers._names import read_names
from core.registry import Registry

Shape = tuple[int, ...]


class Built(NamedTuple):
    """A layer for inputs of one shape."""

    modules: Mapping[str, nn.Module]
    """Its modules in their order, by what is added to the layer's name: "" for the module that has the name itself."""
    shape: Shape
    """The shape of one example's output."""


LayerBuilder = Callable[[Shape, int], Built]
"""(shape of one input, number of the data set's outputs) -> the layer.

Raises ValueError for inputs that it cannot take; the message goes on from the layer's name.
"""

layers = Registry("layer", __name__, rewrite=read_names)

__all__ = ["Built", "LayerBuilder", "Shape", "layers"]
