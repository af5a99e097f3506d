"""Group-sequential levels: how sure a look has to be, so that all looks of a test together keep their level."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from core.analysis.statistics.intervals import Floats

DRAWS = 2**20
"""Experiments that a boundary is calibrated on: a level of 0.05 is met to 0.0004, one of 0.0005 to 0.00004."""
FORESEEN = 2**15
"""Experiments that a course is foreseen on: a mean of seeds is met to 0.03, a share to 0.003."""
ROUGHLY, FEWEST = 2**19, 100
"""Experiments that p is found on, and how many of them have to say it."""
_SEED = 20_261_129


class Course(NamedTuple):
    """The course that a paired comparison takes on average, for a true difference of so many standard deviations."""

    effect: float
    """The true mean of the differences in their standard deviations, d_z."""
    looks: tuple[int, ...]
    """The seeds after which it is looked at."""
    ended: tuple[float, ...]
    """The chance that it has ended by each look; it does at the last, decided or not."""
    power: float
    """The chance that it is decided in favour of the arm that is better; at effect 0 of one that is not."""

    def seeds(self, comparisons: int = 1) -> float:
        """Return the mean seeds at which so many such comparisons have ended, as if they were independent.

        Those of one arm are not: they end sooner.
        """
        ended = np.array(self.ended) ** comparisons
        return float(np.diff(ended, prepend=0.0) @ np.array(self.looks))


def look_levels(looks: tuple[int, ...], level: float) -> tuple[float, ...]:
    """Return the two-sided nominal level of the paired t test at each look, after so many seeds (increasing, from 2).

    A comparison of arms that are equal is decided at any of them with probability `level`. The levels have O'Brien and
    Fleming's shape (1979, doi:10.2307/2530245), 2 (1 - Phi(C / sqrt(share of the seeds))): strict where little is known
    and nearly `level` at the last look. C is the one for Student's t of so few seeds, found on 2^20 normal experiments
    that are always the same; where fewer than 100 of them would say it, the levels' sum is `level`. The textbook's C,
    of known variances, errs in 5.2 % instead of 5 % from five seeds on.
    """
    return _nominal(looks, _boundary(looks, level))


def overall_p(looks: tuple[int, ...], seeds: int, p: Floats, *, family: int = 1) -> Floats:
    """Return the smallest level at which a test with such a `p` at the look after so many `seeds` would be decided.

    It is the chance that equal arms come as far from 0, by the measure of the boundaries, at any of the looks; times
    the number of tests in the family, 1 at most. NaN stays NaN. It is found on 2^19 normal experiments; where fewer
    than 100 come so far, it is the sum over the looks, which is never less.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        reached = -ndtri(p / 2) * np.sqrt(seeds / looks[-1])
        beyond = np.searchsorted(_farthest(looks), reached, side="left")
        shares = 1 - beyond / ROUGHLY
        summed = sum(2 * ndtr(-reached / np.sqrt(n / looks[-1])) for n in looks)
    whole = np.where(shares * ROUGHLY < FEWEST, summed, shares)
    return np.where(np.isnan(p), np.nan, np.minimum(1.0, family * whole))


@lru_cache(maxsize=256)
def course(looks: tuple[int, ...], level: float, effect: float) -> Course:
    """Return what a comparison at these looks comes to, found on 2^15 normal experiments that are always the same."""
    levels = look_levels(looks, level)
    left, ended, right = np.ones(FORESEEN, dtype=bool), list[float](), 0
    for (n, t), nominal in zip(_statistics(looks, FORESEEN, effect), levels, strict=True):
        ends = left & (np.abs(t) > -stdtrit(n - 1, nominal / 2))
        right += int((ends & (t * effect >= 0)).sum())
        left &= ~ends
        ended.append(1.0 if n == looks[-1] else 1 - float(left.mean()))
    return Course(effect=effect, looks=looks, ended=tuple(ended), power=right / FORESEEN)


def _nominal(looks: tuple[int, ...], boundary: float) -> tuple[float, ...]:
    return tuple(float(2 * ndtr(-boundary / np.sqrt(n / looks[-1]))) for n in looks)


@lru_cache(maxsize=64)
def _farthest(looks: tuple[int, ...]) -> Floats:
    """Return the farthest that each of many experiments of equal arms comes from 0 at any look, sorted."""
    highest = np.zeros(ROUGHLY)
    for n, t in _statistics(looks, ROUGHLY, 0.0):
        np.maximum(highest, -ndtri(stdtr(n - 1.0, -np.abs(t))) * np.sqrt(n / looks[-1]), out=highest)
    return np.sort(highest)


@lru_cache(maxsize=256)
def _boundary(looks: tuple[int, ...], level: float) -> float:
    """Return O'Brien and Fleming's C for Student's t at these looks."""
    lowest = float(-ndtri(level / 2))  # the last look alone would have this one: with more looks it is no lower
    if level * DRAWS < FEWEST:  # the chance at any look is hardly less than the sum over the looks
        return float(brentq(lambda c: sum(_nominal(looks, c)) - level, lowest, 2 * lowest))
    highest = np.full(DRAWS, lowest)
    for (n, t), nominal in zip(_statistics(looks, DRAWS, 0.0), _nominal(looks, lowest), strict=True):
        beyond = np.flatnonzero(np.abs(t) > -stdtrit(n - 1, nominal / 2))
        z = -ndtri(stdtr(n - 1.0, -np.abs(t[beyond])))
        highest[beyond] = np.maximum(highest[beyond], z * np.sqrt(n / looks[-1]))
    return float(np.quantile(highest, 1 - level))


def _statistics(looks: tuple[int, ...], draws: int, effect: float) -> Iterator[tuple[int, Floats]]:
    """Yield each look's seeds and the t statistics (draws,) of the normal differences until then.

    The mean and the squares of the seeds between two looks are drawn, not the seeds: each look costs two numbers.
    """
    rng = np.random.default_rng(_SEED)
    n, mean, squares = 0, np.zeros(draws), np.zeros(draws)
    for until in looks:
        more = until - n
        step = effect + rng.standard_normal(draws) / np.sqrt(more) - mean
        squares += step**2 * (n * more / until)
        if more > 1:
            squares += rng.chisquare(more - 1, draws)
        mean, n = mean + step * (more / until), until
        yield n, mean / np.sqrt(squares / (n - 1) / n)
