"""Components of variance: how much of an arm's spread each source of randomness makes, from pairs of runs."""

from typing import NamedTuple

import numpy as np
from scipy.special import chdtri, fdtri, stdtrit

from core.analysis.statistics.intervals import Floats


class Estimate(NamedTuple):
    """An estimate with its 95 % interval."""

    value: float
    low: float
    high: float


class Component(NamedTuple):
    """The part that one source has in the variance of an arm's runs."""

    pairs: int
    variance: Estimate
    share: Estimate | None
    """Of the variance of a run; the estimate may be above 1, where runs of a pair are less alike than any two. None:
    fewer than two pairs, or runs without spread."""


def variance_of(values: Floats) -> Estimate | None:
    """Return the variance of runs (n,) with its interval (n-1)s²/chi²; None below two."""
    n = len(values)
    return None if n < 2 else _scaled(float(values.var(ddof=1)), n - 1)


def component(first: Floats, second: Floats) -> Component | None:
    """Return what a source makes of the variance, from n pairs of runs that differ by it alone; None without pairs.

    The mean of d²/2 is the total effect of the source (Jansen 1999, doi:10.1016/S0010-4655(98)00154-4): the variance
    that is left where all other sources are held, on average over them; of normal runs n·T/chi² with n df is its
    interval. What the others hold together is the correlation of the runs of a pair; its complement is the source's
    share. By one analysis of variance of the pairs, within them W (n df) and between them B (n - 1 df), the share is
    2W / (W + B), and its interval the exact one of an intraclass correlation, by B / W and F (Shrout & Fleiss 1979,
    doi:10.1037/0033-2909.86.2.420), cut to what a share can be; of an estimate beyond 1 it is that of 1.
    """
    n, d = len(first), first - second
    if not n:
        return None
    within = float((d**2).sum() / (2 * n))
    variance = _scaled(within, n)
    between = 2 * float(((first + second) / 2).var(ddof=1)) if n > 1 else 0.0
    if n < 2 or not within + between > 0:
        return Component(n, variance, None)
    if not within:
        return Component(n, variance, Estimate(0.0, 0.0, 0.0))
    ratio = max(between / within, 1.0)  # an estimate beyond 1 has the interval of 1: it would else end where it begins
    low, high = (2 / (1 + ratio / float(fdtri(n - 1, n, p))) for p in (0.025, 0.975))
    share = Estimate(2 * within / (within + between), low, min(high, 1.0))
    return Component(n, variance, share)


def interplay(differences: Floats) -> Estimate | None:
    """Return the variance that sources have only together, from differences (sources, n) of pairs of the same runs.

    Where sources add up, differences by one are independent of those by another; else their covariance is the variance
    of what the two do together. The sum over all pairs of sources, whose truth is never negative; the interval is
    Student's of the n sums, and rough. None below three runs or two sources.
    """
    sources, n = differences.shape
    if sources < 2 or n < 3:
        return None
    sums = (differences.sum(axis=0) ** 2 - (differences**2).sum(axis=0)) / 2
    mean, half = float(sums.mean()), float(stdtrit(n - 1, 0.975) * sums.std(ddof=1) / np.sqrt(n))
    return Estimate(mean, mean - half, mean + half)


def _scaled(variance: float, df: int) -> Estimate:
    return Estimate(variance, *(df * variance / float(chdtri(df, tail)) for tail in (0.025, 0.975)))
