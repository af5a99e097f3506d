"""Convolutions that are a matrix at the centre of the kernel and zero elsewhere."""

from collections.abc import Callable

import torch

from core.initializers._initializer import Layer
from core.initializers._laws import Shape

Make = Callable[[Shape, torch.Generator], torch.Tensor]


def centred(matrix: Make, centre: Callable[[int], int]) -> Make:
    """Put `matrix`, drawn for the shape without its kernel, at index `centre(k)` of every axis of the kernel."""

    def make(shape: Shape, generator: torch.Generator) -> torch.Tensor:
        values = torch.zeros(shape, dtype=torch.float64)
        tap = values
        for k in shape[2:]:
            tap = tap.select(2, centre(k))
        tap.copy_(matrix(shape[:2], generator))
        return values

    return make


def per_group(groups: int, matrix: Make) -> Make:
    """Draw `matrix` for the outputs of each group by itself."""

    def make(shape: Shape, generator: torch.Generator) -> torch.Tensor:
        return torch.cat([matrix((shape[0] // groups, *shape[1:]), generator) for _ in range(groups)])

    return make


def needs_kernel(name: str, layer: Layer) -> None:
    """Raise ValueError for a layer that is no convolution."""
    if not 3 <= len(layer.shape) <= 5:
        raise ValueError(f"{name} is for convolutions, weights of 3 to 5 dimensions, not for {list(layer.shape)}")


def needs_matrix(name: str, layer: Layer) -> None:
    """Raise ValueError for a layer that is not dense."""
    if len(layer.shape) != 2:
        raise ValueError(f"{name} is for dense layers, weights of 2 dimensions, not for {list(layer.shape)}")
