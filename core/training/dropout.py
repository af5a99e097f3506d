"""Dropout whose draws are a function of (seed, step, layer) alone, and so are shared by every run of a seed."""

import math
from collections.abc import Mapping

import torch
from torch import nn

from core.streams import generator

LEVELS = 2**16
"""A unit is dropped by comparing 16 random bits with p: p is rounded to a multiple of 1 / 65,536, the scale with it."""


class PairedDropout(nn.Module):
    """Dropout by a mask that it is given: `mask`, (batch, *shape), holds 0 or 1 / (1 - p). Identity in eval mode.

    Being an input, the mask is the same whichever runs share the program, and vmap needs no randomness of its own.
    """

    mask: torch.Tensor

    def __init__(self, p: float) -> None:
        if not 0 <= p < 1:
            raise ValueError(f"dropout of {p} leaves no unit: it should be at least 0 and below 1")
        super().__init__()
        self.dropped = min(round(p * LEVELS), LEVELS - 1)
        self.shape: tuple[int, ...] | None = None
        self.register_buffer("mask", torch.empty(0), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.mask if self.training else x

    def learn(self, shape: tuple[int, ...]) -> None:
        """Take the shape of one example's mask; raises ValueError where there is one already."""
        if self.shape is not None:
            raise ValueError("a dropout layer is called twice in one forward pass: give each place its own layer")
        self.shape = shape

    def draw(self, examples: int, source: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
        """The mask of a batch, (examples, *shape)."""
        shape = (examples, *(self.shape or ()))
        count = math.prod(shape)
        words = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None, generator=source)
        kept = words.view(torch.int16)[:count] >= self.dropped - LEVELS // 2
        return kept.to(dtype).mul_(LEVELS / (LEVELS - self.dropped)).view(shape)


def pair_dropout(module: nn.Module) -> None:
    """Replace every nn.Dropout inside `module`; raises TypeError for the other kinds, which drop whole channels."""
    for name, layer in list(module.named_modules()):
        if isinstance(layer, nn.Dropout):
            module.set_submodule(name, PairedDropout(layer.p))
        elif isinstance(layer, nn.modules.dropout._DropoutNd):
            raise TypeError(f"{name}: {type(layer).__name__} cannot be paired across runs; use nn.Dropout")


def draw_masks(
    layers: Mapping[str, PairedDropout], seed: int, step: int, examples: int, dtype: torch.dtype
) -> dict[str, torch.Tensor]:
    """The masks of update `step` by layer. Each layer has its own stream: adding one leaves the others' masks alone."""
    return {name: layer.draw(examples, generator(seed, "dropout", step, name), dtype) for name, layer in layers.items()}
