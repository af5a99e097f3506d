"""The effect of a layer on examples before any training."""

import math
from typing import NamedTuple

import torch
from torch import nn

from core.models.layers import Built, LayerBuilder, Shape
from core.registry import Entry

SECONDS_OF_PRODUCT = 1e-9
"""Of one core of an Intel Xeon of 2.6 GHz, for a weight and a place that it is used at, with all that surrounds it."""
_FAR = 5.0
"""Where the curve of an activation begins and ends."""
_POINTS = 401
_WIDE = 7
"""Numbers of a row on which it is tried whether a layer mixes them."""


class Effect(NamedTuple):
    """A layer's outputs (batch, *shape), and the count of the weights that it learns."""

    outputs: torch.Tensor
    parameters: int


class Curve(NamedTuple):
    """Numbers, what a layer makes of each, and the slope there: (n,) each."""

    x: torch.Tensor
    y: torch.Tensor
    slope: torch.Tensor


class EffectSize(NamedTuple):
    """The sizes of an effect, before it is computed."""

    shape: Shape
    parameters: int
    seconds: float
    """Of one core, as estimated."""


def effect_size(entry: Entry, inputs: Shape, outputs: int, batch: int) -> EffectSize:
    """Return the sizes of a layer for inputs of a shape; raises ValueError where it cannot take them."""
    with torch.device("meta"):
        built = _built(entry, inputs, outputs)
    parameters = sum(p.numel() for module in built.modules.values() for p in module.parameters())
    places = max(1, math.prod(built.shape[1:])) * batch
    return EffectSize(built.shape, parameters, SECONDS_OF_PRODUCT * parameters * places)


def effect(entry: Entry, x: torch.Tensor, outputs: int, seed: int) -> Effect:
    """Return what a layer makes of examples (batch, *shape) in training, with the weights that torch starts it from.

    `outputs` is how many numbers the data set asks for, `seed` that of weights and masks. Raises ValueError where it
    cannot take them.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        module = nn.Sequential(*_built(entry, tuple(x.shape[1:]), outputs).modules.values()).train()
        return Effect(module(x), sum(p.numel() for p in module.parameters()))


def curve(entry: Entry, seed: int) -> Curve | None:
    """Return the curve of a layer that makes a number of each number, as an activation does; None of others.

    At a corner the slope is the one that torch's derivative has there.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            if not _number_by_number(entry):
                return None
            module = nn.Sequential(*_built(entry, (1,), 1).modules.values()).train()
        except ValueError:
            return None
    x = torch.linspace(-_FAR, _FAR, _POINTS).unsqueeze(1).requires_grad_()
    y = module(x)
    (slope,) = torch.autograd.grad(y.sum(), x) if y.requires_grad else (torch.zeros_like(x),)
    return Curve(x.detach().squeeze(1), y.detach().squeeze(1), slope.squeeze(1))


def _number_by_number(entry: Entry) -> bool:
    """Return whether every output is a function of the one input in its place, and of nothing else, chance included."""
    built = _built(entry, (_WIDE,), _WIDE)
    if built.shape != (_WIDE,) or not _keeps(entry, (1, 2, 2)):
        return False
    module = nn.Sequential(*built.modules.values()).train()
    x = torch.randn(_WIDE, _WIDE)
    changed = torch.where(torch.eye(_WIDE, dtype=torch.bool), x + 1, x)
    with torch.no_grad():
        y, again, turned, moved = module(x), module(x), module(x.flip(1)).flip(1), module(changed)
    others = ~torch.eye(_WIDE, dtype=torch.bool)
    pairs = ((y, again), (y, turned), (y[others], moved[others]))
    return all(torch.allclose(a, b, rtol=1e-5, atol=1e-6, equal_nan=True) for a, b in pairs)


def _keeps(entry: Entry, inputs: Shape) -> bool:
    """Return whether a layer leaves a shape as it is, or takes no such inputs."""
    try:
        return _built(entry, inputs, 1).shape == inputs
    except ValueError:
        return True


def _built(entry: Entry, inputs: Shape, outputs: int) -> Built:
    builder: LayerBuilder = entry.build()
    return builder(inputs, outputs)
