"""The laws that initial values are drawn from, and the fans they are scaled by."""

import math
from dataclasses import dataclass
from typing import Protocol

import torch

Shape = tuple[int, ...]


class Law(Protocol):
    """How the values of one parameter are drawn."""

    @property
    def distribution(self) -> str: ...

    @property
    def std(self) -> float | None: ...

    @property
    def bound(self) -> float | None:
        """Largest absolute value that can be drawn; None where there is none."""
        ...

    def draw(self, shape: Shape, generator: torch.Generator, dtype: torch.dtype = torch.float32) -> torch.Tensor: ...


@dataclass(frozen=True)
class Constant:
    """Every value is `value`."""

    value: float
    distribution = "constant"
    std = 0.0

    @property
    def bound(self) -> float:
        return abs(self.value)

    def draw(self, shape: Shape, generator: torch.Generator, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        del generator  # nothing is random here
        return torch.full(shape, self.value, dtype=dtype)


@dataclass(frozen=True)
class Uniform:
    """Uniform on [low, high)."""

    low: float
    high: float
    distribution = "uniform"

    @classmethod
    def symmetric(cls, bound: float) -> "Uniform":
        """U(-bound, bound)."""
        return cls(-bound, bound)

    @property
    def std(self) -> float:
        return (self.high - self.low) / math.sqrt(12)

    @property
    def bound(self) -> float:
        return max(abs(self.low), abs(self.high))

    def draw(self, shape: Shape, generator: torch.Generator, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        return torch.empty(shape, dtype=dtype).uniform_(self.low, self.high, generator=generator)


@dataclass(frozen=True)
class Normal:
    """Normal, not truncated."""

    mean: float
    std: float
    distribution = "normal"
    bound = None

    def draw(self, shape: Shape, generator: torch.Generator, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        return torch.empty(shape, dtype=dtype).normal_(self.mean, self.std, generator=generator)


def fans(shape: Shape) -> tuple[int, int]:
    """`(fan_in, fan_out)` of a weight of torch's layout; fan_out is not divided by the groups, as in torch."""
    if len(shape) < 2:
        raise ValueError(f"a tensor of shape {shape} has no fans: a weight has two dimensions or more")
    receptive = math.prod(shape[2:])
    return shape[1] * receptive, shape[0] * receptive
