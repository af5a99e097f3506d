"""Dropout whose draws are a function of (seed, step, layer) alone, and so are shared by all runs of a seed."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from core.models import StochasticDepth
from core.streams import keys, words

LEVELS = 2**16
"""A unit is dropped by comparing 16 random bits with p: p is rounded to a multiple of 1 / 65,536, the scale with it."""
Drops = Literal["unit", "channel", "example"]


class PairedDropout(nn.Module):
    """Dropout by a mask that it is given, of 0 and 1 / (1 - p). Identity in eval mode.

    `mask` is (batch, calls, *shape): a layer that one forward pass calls several times takes the next of its masks each
    time. `drops` says what goes as one: a unit, a channel (the first dimension of an example), or a whole example.
    Being an input, the mask is the same whichever runs share the program, and vmap needs no randomness of its own.
    """

    mask: torch.Tensor

    def __init__(self, p: float, drops: Drops = "unit") -> None:
        if not 0 <= p < 1:
            raise ValueError(f"dropout of {p} leaves no unit: it should be at least 0 and below 1")
        super().__init__()
        self.dropped = min(round(p * LEVELS), LEVELS - 1)
        self.drops = drops
        self.calls = 0
        self.shape: tuple[int, ...] = ()
        self._next = 0
        self.register_buffer("mask", torch.empty(0), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return x
        mask = self.mask[:, self._next]
        self._next = (self._next + 1) % self.calls
        return x * mask

    def learn(self, shape: tuple[int, ...]) -> None:
        """Count one more call for an example of this shape; raises ValueError for another shape than before."""
        whole = {"unit": len(shape), "channel": 1, "example": 0}[self.drops]
        mine = shape[:whole] + (1,) * (len(shape) - whole)
        if self.calls and mine != self.shape:
            raise ValueError(f"a dropout layer is called with {self.shape} and {mine}: give each place its own layer")
        self.shape = mine
        self.calls += 1

    def draw(self, keys: torch.Tensor, step: int | torch.Tensor, examples: int, dtype: torch.dtype) -> torch.Tensor:
        """Return the masks of a batch for every key, (keys, examples, calls, *shape)."""
        shape = (examples, self.calls, *self.shape)
        count = math.prod(shape)
        bits = words(keys, step, -(-count // 4)).view(torch.int16)[:, :count]
        kept = bits >= self.dropped - LEVELS // 2
        return kept.to(dtype).mul_(LEVELS / (LEVELS - self.dropped)).view(len(keys), *shape)


_DROPS: dict[type[nn.Module], Drops] = {
    nn.Dropout: "unit",
    nn.Dropout1d: "channel",
    nn.Dropout2d: "channel",
    nn.Dropout3d: "channel",
    StochasticDepth: "example",
}


def pair_dropout(module: nn.Module) -> None:
    """Replace every dropout inside `module`; raises TypeError for a kind that is not drawn by masks of 0 and 1."""
    for name, layer in list(module.named_modules()):
        if not isinstance(layer, _DropoutNd):
            continue
        if type(layer) not in _DROPS:
            raise TypeError(f"{name}: {type(layer).__name__} cannot be paired across runs; use nn.Dropout")
        module.set_submodule(name, PairedDropout(layer.p, _DROPS[type(layer)]) if layer.p else nn.Identity())


class Masks:
    """The masks of some seeds. Each layer has its own stream: adding one leaves the others' masks alone."""

    def __init__(
        self, layers: Mapping[str, PairedDropout], seeds: Sequence[int], dtype: torch.dtype, device: str = "cpu"
    ) -> None:
        self._layers = layers
        self._keys = {name: keys(seeds, "dropout", name, device=device) for name in layers}
        self._dtype = dtype

    def draw(self, step: int | torch.Tensor, examples: int) -> dict[str, torch.Tensor]:
        """Return the masks of update `step` by layer, (seeds, examples, calls, *shape) each."""
        return {name: layer.draw(self._keys[name], step, examples, self._dtype) for name, layer in self._layers.items()}
