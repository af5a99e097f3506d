"""An initializer: weights of a triangular density, between the uniform and the normal one."""

import math
from dataclasses import dataclass

import torch

from core.initializers import Initializer, Shape, initializers
from core.registry import Positive


@dataclass(frozen=True)
class Triangular:
    """The sum of two independent numbers of U(-bound / 2, bound / 2)."""

    bound: float
    distribution = "triangular"
    mean = 0.0

    @property
    def std(self) -> float:
        """The standard deviation: a uniform of width w has w / sqrt(12), and two of them add up in the square."""
        return self.bound / math.sqrt(6)

    def draw(self, shape: Shape, generator: torch.Generator, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """Return values of this shape, drawn from the generator alone."""
        halves = torch.rand(2, *shape, generator=generator, dtype=dtype)
        return (halves.sum(0) - 1) * self.bound


@initializers.register(
    formula="density (1 - |w| / b) / b on [-b, b], b = sqrt(6 · scale / fan_in)",
    source="Simpson 1755, doi:10.1098/rstl.1755.0020; the variance of He et al. 2015, arXiv:1502.01852",
)
def triangular(*, scale: Positive = 2.0) -> Initializer:
    """Triangular of variance scale / fan_in."""
    return Initializer(lambda layer: Triangular(math.sqrt(6 * scale / layer.fans[0])))
