"""The chance that an arm is the best: draws of what the arms' means may be, wide enough for few seeds."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from core.analysis.statistics.intervals import Floats

DRAWS = 4_999
_SEED = 20_261_129


def chance_of_best(values: Floats, lost: NDArray[np.bool_], sign: int) -> Floats:
    """Return each arm's chance to be the best, (arms,): of the arms that have one the sum is 1; NaN: not known.

    `values` (arms, seeds) has NaN where a run has none, `lost` says which of these finished without a value; `sign` is
    1 where more is better. Each of 4,999 draws moves the mean m of an arm's n values x by
    sum_s g_s (x_s - m) / sqrt(n (n - 1)) times sqrt((n - 1) / c): g_s is a standard normal number for every seed, the
    same for all arms, so that pairs stay pairs, and c is chi-squared with n - 1 degrees of freedom, one number a draw.
    So the difference of two arms is drawn from Student's t about what was measured, and of two equal arms one has a
    chance above .95 in one experiment of ten, whatever n; a bootstrap of three seeds says so in three of ten.

    Where runs were lost, all arms are compared by their ranks among all runs, the lost ones tied last: no mean of
    survivors leads, and one lost run costs an arm what one bad run does. Arms of fewer than two values are left out,
    and equal ones share.
    """
    chance = np.full(len(values), np.nan)
    able = np.flatnonzero(np.isfinite(values).sum(axis=1) > 1)
    if not len(able):
        return chance
    x, gone = values[able] * sign, lost[able]
    if gone.any():
        x = _ranks(np.where(gone, -np.inf, x), np.isfinite(x) | gone)
    means = _draws(x)
    best = means == means.max(axis=1, keepdims=True)
    chance[able] = (best / best.sum(axis=1, keepdims=True)).mean(axis=0)
    return chance


def _ranks(x: Floats, ended: NDArray[np.bool_]) -> Floats:
    """Return the ranks of the runs that ended among all of them, equal ones sharing, NaN for others."""
    ranks = np.full(x.shape, np.nan)
    _, place, ties = np.unique(x[ended], return_inverse=True, return_counts=True)
    ranks[ended] = (np.cumsum(ties) - (ties - 1) / 2)[place]
    return ranks


def _draws(x: Floats) -> Floats:
    """Return what the means of the arms (arms, seeds) may be, (draws, arms)."""
    there = np.isfinite(x)
    n = there.sum(axis=1)
    mean = np.where(there, x, 0.0).sum(axis=1) / n
    away = np.where(there, x - mean[:, None], 0.0) / np.sqrt(n * (n - 1))[:, None]
    widths = np.stack([_widths(count) for count in n.tolist()], axis=1)
    return np.asarray(mean + (_numbers(x.shape[1]) @ away.T) * widths)


@lru_cache(maxsize=32)
def _numbers(seeds: int) -> Floats:
    """Return a standard normal number for every draw and seed, always the same."""
    return np.random.default_rng(_SEED).standard_normal((DRAWS, seeds))


@lru_cache(maxsize=32)
def _widths(n: int) -> Floats:
    """Return sqrt((n - 1) / c) of every draw: c is a quantile of chi-squared, at a level that arms of any n share."""
    level = np.random.default_rng(_SEED + 1).random(DRAWS)
    return np.asarray(np.sqrt((n - 1) / chdtri(n - 1, level)))
