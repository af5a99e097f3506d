"""Treatments compared over several data sets, each of which is a block: effects, scales and ranks."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import fdtrc, ndtr, ndtri

from core.analysis.statistics.intervals import Floats, moments
from core.metrics import ROUNDING

RANKS_FROM = 10
"""Data sets from which mean ranks are compared: below, the tests of ranks have hardly any power."""


class Friedman(NamedTuple):
    """The test that all treatments have the same mean rank, over `sets` data sets."""

    mean_ranks: Floats
    """By treatment; 1 is the best."""
    sets: int
    chi_square: float
    f: float
    """The statistic of Iman and Davenport."""
    df: tuple[int, int]
    p: float
    """That of `f`."""


def block_scale(values: Floats) -> float:
    """Return the standard deviation of a paired difference on one data set; `values` (treatments, seeds) may have NaN.

    It is pooled over all pairs of treatments, on the seeds that both have: with all values there, that is sqrt(2) times
    the residual standard deviation of treatments and seeds. NaN where no pair has two seeds, or differences vary by no
    more than rounding.
    """
    first, second = np.triu_indices(len(values), k=1)
    n, _, sd = moments(values[first] - values[second])
    freedom = np.where(n > 1, n - 1, 0)
    if not freedom.any():
        return float("nan")
    scale = float(np.sqrt((freedom * np.nan_to_num(sd) ** 2).sum() / freedom.sum()))
    size = float(np.max(np.abs(values), initial=0.0, where=np.isfinite(values)))
    return scale if scale > ROUNDING * size else float("nan")


def block_effects(values: Floats) -> Floats:
    """Return the effect (treatments,) of each treatment on one data set, in the outcome's unit; they sum to 0.

    `values` is (treatments, seeds), NaN where there is none: effects are those of the least squares of treatments and
    seeds, so that a run that is missing takes no seed's luck away from the others. With all values there they are the
    means less the mean of all. NaN for a treatment without a value.
    """
    treatment, seed = np.nonzero(np.isfinite(values))
    found = np.full(len(values), np.nan)
    if not len(treatment):
        return found
    rows = np.zeros((len(treatment), sum(values.shape)))
    rows[np.arange(len(rows)), treatment] = rows[np.arange(len(rows)), len(values) + seed] = 1.0
    centre = values[treatment, seed].mean()
    fitted, *_ = np.linalg.lstsq(rows, values[treatment, seed] - centre, rcond=None)
    there = np.unique(treatment)
    found[there] = fitted[there] - fitted[there].mean()
    return found


def ranked(means: Floats, sign: int, lost: Floats | float = 0.0) -> Floats:
    """Return the rank of each treatment on each data set; `means`, `lost` and the result are (sets, treatments).

    Rank 1 is the best: of those with the smallest share of `lost` runs the largest mean where `sign` is 1, the smallest
    where it is -1. Ties share their mean rank, and so do treatments without a mean, behind all others.
    """
    worst, gone = np.where(np.isfinite(means), -sign * means, np.inf), np.where(np.isfinite(means), lost, 1.0)
    same = gone[:, None, :] == gone[:, :, None]
    better = (gone[:, None, :] < gone[:, :, None]) | (same & (worst[:, None, :] < worst[:, :, None]))
    below = better.sum(axis=2)
    alike = (same & (worst[:, None, :] == worst[:, :, None])).sum(axis=2)
    return np.asarray(below + (alike + 1) / 2)


def friedman(ranks: Floats) -> Friedman:
    """Return Friedman's test of ranks (sets, treatments), corrected for ties, with the F of Iman and Davenport.

    Demšar 2006, JMLR 7; Iman & Davenport 1980, Communications in Statistics 9. Where every data set has the same order
    the F has no bound, and p is 0; where all treatments share all ranks, p is 1.
    """
    sets, k = ranks.shape
    mean = ranks.mean(axis=0)
    spread = float((ranks**2).sum() - sets * k * (k + 1) ** 2 / 4)  # of all ranks; less by ties
    between = sets * float(((mean - (k + 1) / 2) ** 2).sum())
    df = (k - 1, (k - 1) * (sets - 1))
    if spread <= 0:
        return Friedman(mean, sets, 0.0, 0.0, df, 1.0)
    chi_square = sets * (k - 1) * between / spread
    left = sets * (k - 1) - chi_square
    f = (sets - 1) * chi_square / left if left > 1e-9 * chi_square else float("inf")
    return Friedman(mean, sets, chi_square, f, df, float(fdtrc(*df, f)) if np.isfinite(f) else 0.0)


def critical_difference(k: int, sets: int, alpha: float, *, with_baseline: bool = False) -> float:
    """Return the difference of two mean ranks from which two of k treatments differ at `alpha`.

    Of all pairs by Nemenyi's test, q·sqrt(k(k + 1) / 6D) with q the studentized range's quantile over sqrt(2); of the
    k - 1 comparisons with a baseline by that of Bonferroni and Dunn (Demšar 2006, section 3.2.2).
    """
    quantile = float(-ndtri(alpha / 2 / (k - 1))) if with_baseline else range_quantile(1 - alpha, k) / np.sqrt(2)
    return float(quantile * np.sqrt(k * (k + 1) / (6 * sets)))


@lru_cache(maxsize=256)
def range_quantile(p: float, k: int) -> float:
    """Return the quantile of the range of k independent standard normal values, 0 < p < 1, k >= 2."""
    z = np.linspace(-9, 9, 3001)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)

    def below(width: float) -> float:
        return float(np.trapezoid(k * density * (ndtr(z) - ndtr(z - width)) ** (k - 1), z)) - p

    return float(brentq(below, 0.0, 18.0, xtol=1e-10))


def cliques(mean_ranks: Floats, difference: float) -> list[NDArray[np.int64]]:
    """Return the largest groups of treatments whose mean ranks differ by less than `difference`, best first."""
    order = np.argsort(mean_ranks, kind="stable")
    ordered = mean_ranks[order]
    ends = np.searchsorted(ordered, ordered + difference)
    reached, found = 0, []
    for start, end in enumerate(ends.tolist()):
        if end > max(reached, start + 1):
            found.append(order[start:end])
        reached = max(reached, end)
    return found
