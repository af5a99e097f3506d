"""Table of sources of randomness: how often the intervals of their components hold the truth."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from accepted import COVERAGE, ERROR, Row, row
from laws import RNG, RUNS, Floats

from core.analysis.statistics.components import component, interplay, variance_of

EXPERIMENTS, FEWER = 20_000, 2_000
Draw = Callable[[tuple[int, ...]], Floats]


class Parts(NamedTuple):
    """The parts of an arm's variance, 1 in all: of two sources, and of what they do only together."""

    first: float
    second: float
    both: float


PARTS = (Parts(0.61, 0.39, 0.0), Parts(0.3, 0.3, 0.4), Parts(0.05, 0.95, 0.0), Parts(0.0, 0.0, 1.0))
LAWS: dict[str, Draw] = {
    "Student's t, 5 degrees of freedom": lambda shape: np.asarray(
        RNG.standard_t(5, shape) / np.sqrt(5 / 3), np.float64
    ),
    "exponential": lambda shape: RNG.exponential(1, shape) - 1,
    "one in ten at chance": lambda shape: np.asarray(((RNG.random(shape) < 0.1) - 0.1) / 0.3, np.float64),
}
"""Laws of each part, of mean 0 and variance 1."""


def of_sources() -> list[Row]:
    """Intervals of an arm's variance, of a source's and of its share; interplay that is claimed where there is none."""
    rows = []
    for parts in PARTS:
        for n in RUNS:
            law = f"normal, {parts.first:.0%} + {parts.second:.0%} + {parts.both:.0%} together"
            rows += _rows(law, n, parts, EXPERIMENTS, lambda shape: RNG.normal(0, 1, shape), strict=True)
    for name, draw in LAWS.items():
        for n in RUNS:
            rows += _rows(f"{name}, 61% + 39%", n, PARTS[0], FEWER, draw, strict=False)
    return rows


def _rows(law: str, n: int, parts: Parts, experiments: int, draw: Draw, *, strict: bool) -> list[Row]:
    own, other, second = _trainings(parts, (experiments, n), draw)
    truth = parts.first + parts.both
    found = [component(*pair) for pair in zip(own, other, strict=True)]
    accepted = COVERAGE if strict else None

    def told(method: str, held: list[bool], bounds: tuple[float, float] | None) -> Row:
        return row(method, law, n, np.array(held), accepted=bounds)

    whole = [one.low <= 1 <= one.high for one in map(variance_of, own) if one]
    apart = [one.variance.low <= truth <= one.variance.high for one in found if one]
    shares = [one.share.low <= truth <= one.share.high for one in found if one and one.share]
    rows = [
        told("an arm's variance over seeds", whole, accepted),
        told("variance by a source alone", apart, accepted),
        told("share of a source", shares, (94.5, 98.0) if strict else None),  # above 95 % where it is cut
    ]
    joint = [interplay(np.array(pair)) for pair in zip(own - other, own - second, strict=True)]
    claimed = [one is not None and one.low > 0 for one in joint]
    rows.append(told("interplay is claimed", claimed, ERROR if strict and not parts.both else None))
    return rows


def _trainings(parts: Parts, shape: tuple[int, int], draw: Draw) -> tuple[Floats, Floats, Floats]:
    """Draw first trainings, and those with another seed of the first source, and of the second."""
    a, other_a, b, other_b = (draw(shape) for _ in range(4))
    of_a, of_b, of_both = np.sqrt(parts)
    own, first, second = (
        of_a * mine + of_b * its + of_both * draw(shape) for mine, its in ((a, b), (other_a, b), (a, other_b))
    )
    return own, first, second
