"""Laws by which the runs of simulated experiments are drawn, the normal one and those that make statistics hard."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RNG = np.random.default_rng(20_261_125)
RUNS = (3, 5, 10, 30)


@dataclass(frozen=True)
class Law:
    """Draws of runs, and the mean that they have in truth."""

    name: str
    draw: Callable[[tuple[int, ...]], Floats]
    mean: float = 0.0


def _stuck(shape: tuple[int, ...]) -> Floats:
    return np.where(RNG.random(shape) < 0.1, RNG.normal(0.1, 0.01, shape), RNG.normal(0.95, 0.01, shape))


NORMAL = Law("normal", lambda shape: RNG.normal(0, 1, shape))
HARD = (
    Law("Student's t, 5 degrees of freedom", lambda shape: RNG.standard_t(5, shape)),
    Law("accuracy on 360 examples, 0.97", lambda shape: RNG.binomial(360, 0.97, shape) / 360, 0.97),
    Law("accuracy on 360 examples, 0.995", lambda shape: RNG.binomial(360, 0.995, shape) / 360, 0.995),
    Law("Beta(39, 1), at the ceiling", lambda shape: RNG.beta(39, 1, shape), 0.975),
    Law("lognormal, sigma 0.5", lambda shape: RNG.lognormal(0, 0.5, shape), math.exp(0.125)),
    Law("lognormal, sigma 1", lambda shape: RNG.lognormal(0, 1, shape), math.exp(0.5)),
    Law("one run in ten at chance: 0.1 instead of 0.95", _stuck, 0.865),
)


@dataclass(frozen=True)
class Arms:
    """Draws of experiments, (experiments, arms, seeds), all of whose arms have the same mean."""

    name: str
    draw: Callable[[tuple[int, int, int]], Floats]


def correlated(shape: tuple[int, int, int], rho: float) -> Floats:
    """Return normal runs of spread 1, those of a seed correlated by rho."""
    experiments, _, seeds = shape
    shared = RNG.normal(0, 1, (experiments, 1, seeds))
    return np.asarray(math.sqrt(rho) * shared + math.sqrt(1 - rho) * RNG.normal(0, 1, shape))


def _unequal(shape: tuple[int, int, int]) -> Floats:
    return RNG.normal(0, 1, shape) * np.where(np.arange(shape[1]) % 2, 3.0, 1.0)[:, None]


def _unlike(shape: tuple[int, int, int]) -> Floats:
    skewed = RNG.lognormal(0, 1, shape) - math.exp(0.5)
    return np.where((np.arange(shape[1]) % 2 == 0)[:, None], skewed, RNG.normal(0, 1, shape))


HARD_ARMS = (
    Arms("normal, correlation 0", lambda shape: correlated(shape, 0.0)),
    Arms("normal, correlation 0.9", lambda shape: correlated(shape, 0.9)),
    Arms("normal, every second arm of three times the spread", _unequal),
    Arms("lognormal (sigma 1) against normal, the same mean", _unlike),
    *(Arms(law.name, law.draw) for law in HARD),
)
