"""Two spirals: points of a plane that a network has to tell apart by a long, wound border."""

import math
from typing import Annotated

import torch
from pydantic import Field

from core.datasets import Dataset, DatasetInfo, DatasetPaths, datasets
from core.datasets._splits import Fraction, HeldOut, TestFraction, Whole, of_whole
from core.registry import CountFromZero, NonNegative
from core.streams import generator

INNER = 1 / 13
"""Radius at the spirals' inner ends; 1 at the outer ones."""


@datasets.register(
    formula="+-r (sin a, cos a) + noise N(0, 1), a = 2 pi turns u, r = 1 - 12/13 u, u evenly in [0, 1]; + is class 0",
    source="Lang & Witbrock 1988, Learning to tell two spirals apart; theirs, over 6.5, is examples = 194, turns = 3",
)
def two_spirals(
    *,
    examples: Annotated[int, Field(ge=4, le=2**22)] = 1000,
    noise: NonNegative = 0.0,
    turns: Annotated[float, Field(gt=0, le=100)] = 3.0,
    seed: CountFromZero = 0,
    valid_fraction: Fraction = 0.2,
    split_seed: CountFromZero = 0,
    test_fraction: TestFraction = 0.0,
) -> Dataset:
    """A binary task, generated: a function of its parameters.

    The outer radius is 1, `noise` a standard deviation in that unit; with 3 turns the spirals are 2/13 apart. `seed`
    is that of the noise.
    """
    held_out = HeldOut(valid_fraction, split_seed, test_fraction).checked()
    counts, first = held_out.counts(examples), (examples + 1) // 2
    info = DatasetInfo(inputs=(2,), outputs=1, task="binary", chance=first / examples, **counts._asdict())

    def whole(_paths: DatasetPaths) -> Whole:
        second = examples - first
        x = torch.cat([_spiral(first, turns), -_spiral(second, turns)])
        x += noise * torch.randn(x.shape, generator=generator(seed, "two_spirals"), dtype=x.dtype)
        y = torch.cat([torch.zeros(first, 1), torch.ones(second, 1)])
        return x.float(), y, held_out

    return of_whole(lambda _paths: info, whole, held_out)


def _spiral(points: int, turns: float) -> torch.Tensor:
    """Return points (n, 2) from the outer end to the inner, at even angles."""
    along = torch.linspace(0, 1, points, dtype=torch.float64)
    angle, radius = 2 * math.pi * turns * along, 1 - (1 - INNER) * along
    return torch.stack([radius * angle.sin(), radius * angle.cos()], dim=1)
