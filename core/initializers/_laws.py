"""The laws that initial values are drawn from, and the fans they are scaled by."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch

Shape = tuple[int, ...]

CUT = 2.0
"""The bound of a truncated normal, in standard deviations of the untruncated one, as in Keras and JAX."""
KEPT = math.erf(CUT / math.sqrt(2))
"""Probability that a normal lies within the cut."""
NARROWED = math.sqrt(1 - 2 * CUT * math.exp(-CUT * CUT / 2) / (math.sqrt(2 * math.pi) * KEPT))
"""Standard deviation of what is left of a unit normal."""


class Law(Protocol):
    """A distribution from which the values of one parameter are drawn."""

    @property
    def distribution(self) -> str: ...

    @property
    def mean(self) -> float | None:
        """Mean of all values together; None where it is unknown."""
        ...

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
    def mean(self) -> float:
        return self.value

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
        """Return U(-bound, bound)."""
        return cls(-bound, bound)

    @property
    def mean(self) -> float:
        return (self.low + self.high) / 2

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


@dataclass(frozen=True)
class TruncatedNormal:
    """Normal of standard deviation `parent`, cut at two of them from its mean: `std` is 0.88 parents."""

    mean: float
    parent: float
    distribution = "truncated_normal"

    @classmethod
    def of(cls, std: float) -> "TruncatedNormal":
        """Return the truncated normal of mean 0 whose standard deviation, after the cut, is `std`."""
        return cls(0.0, std / NARROWED)

    @property
    def std(self) -> float:
        return NARROWED * self.parent

    @property
    def bound(self) -> float:
        return abs(self.mean) + CUT * self.parent

    def draw(self, shape: Shape, generator: torch.Generator, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        values = torch.empty(shape, dtype=torch.float64).uniform_(-KEPT, KEPT, generator=generator)
        values.erfinv_().mul_(math.sqrt(2)).clamp_(-CUT, CUT)  # the inverse is rounded: nothing may pass the cut
        return values.mul_(self.parent).add_(self.mean).to(dtype)


@dataclass(frozen=True)
class CutNormal:
    """Normal of mean `centre` and standard deviation `parent`, cut at two values, wherever they are."""

    centre: float
    parent: float
    low: float
    high: float
    distribution = "cut_normal"

    @property
    def _ends(self) -> tuple[float, float]:
        """The cuts in standard deviations."""
        return (self.low - self.centre) / self.parent, (self.high - self.centre) / self.parent

    @property
    def kept(self) -> float:
        """Probability that the normal lies within the cuts."""
        a, b = self._ends
        return (math.erf(b / math.sqrt(2)) - math.erf(a / math.sqrt(2))) / 2

    @property
    def mean(self) -> float:
        a, b = self._ends
        return self.centre + self.parent * (_density(a) - _density(b)) / self.kept

    @property
    def std(self) -> float:
        a, b = self._ends
        tails = (a * _density(a) - b * _density(b)) / self.kept
        shift = (_density(a) - _density(b)) / self.kept
        return self.parent * math.sqrt(max(0.0, 1 + tails - shift**2))

    @property
    def bound(self) -> float:
        return max(abs(self.low), abs(self.high))

    def draw(self, shape: Shape, generator: torch.Generator, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        first, last = (math.erf(end / math.sqrt(2)) for end in self._ends)
        values = torch.empty(shape, dtype=torch.float64).uniform_(first, last, generator=generator)
        values.erfinv_().mul_(math.sqrt(2) * self.parent).add_(self.centre)
        return values.clamp_(self.low, self.high).to(dtype)


def _density(x: float) -> float:
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


@dataclass(frozen=True)
class Structured:
    """Values that hang together, such as an orthogonal matrix's; `mean`, `std` and `bound` are those of all of them."""

    distribution: str
    make: Callable[[Shape, torch.Generator], torch.Tensor]
    """Draws them in float64."""
    mean: float | None = None
    std: float | None = None
    bound: float | None = None

    def draw(self, shape: Shape, generator: torch.Generator, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        return self.make(shape, generator).to(dtype)


def fans(shape: Shape) -> tuple[int, int]:
    """Return `(fan_in, fan_out)` of a weight in torch's layout; fan_out is not divided by the groups, as in torch."""
    if len(shape) < 2:
        raise ValueError(f"a tensor of shape {shape} has no fans: a weight has two dimensions or more")
    receptive = math.prod(shape[2:])
    return shape[1] * receptive, shape[0] * receptive
