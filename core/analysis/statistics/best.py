"""The chance that an arm is the best: draws of what the arms' means may be, wide enough for few seeds."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from core.analysis.statistics.intervals import Floats, moments
from core.analysis.statistics.judgement import Judgement
from core.analysis.statistics.paired import PairErrors

DRAWS = 4_999
_SEED = 20_261_129


def chance_of_best(
    values: Floats,
    lost: NDArray[np.bool_],
    sign: int,
    *,
    judged: Judgement | None = None,
    errors: PairErrors | None = None,
) -> Floats:
    """Return each arm's chance to be the best, (arms,): of the arms that have one the sum is 1; NaN: not known.

    `values` (arms, seeds) has NaN where a run has none, `lost` says which of these finished without a value; `sign` is
    1 where more is better. Each of 4,999 draws moves the mean m of an arm's n values x by
    sum_s g_s (x_s - m) / sqrt(n (n - 1)) times sqrt((n - 1) / c): g_s is a standard normal number for every seed, the
    same for all arms, so that pairs stay pairs, and c is chi-squared with n - 1 degrees of freedom, one number a draw.
    So the difference of two arms is drawn from Student's t about what was measured, and of two equal arms one has a
    chance above .95 in one experiment of ten, whatever n; a bootstrap of three seeds says so in three of ten. `errors`
    that know more than the seeds, of splits or examples, add what they are larger by.

    Where runs were lost, all arms are compared by their ranks among all runs, the lost ones tied last: one lost run
    costs an arm what one bad run does. Where arms lack runs of some seeds, those seeds' luck is taken off, by least
    squares of arms and seeds: a seed that one arm has alone says nothing, unless runs are not paired at all.

    With `judged`, the judgement of the same values, no chance contradicts it: what is drawn of an arm is no better than
    of an arm that beats it, nor, if it does not beat that one, of one that lost fewer runs. Arms of fewer than two
    values are left out, and equal ones share.
    """
    x, ended = values * sign, np.isfinite(values) | lost
    if lost.any():
        x = _ranks(np.where(lost, -np.inf, x), ended)
    able = np.isfinite(values).sum(axis=1) > 1
    x = np.where(able[:, None], x, np.nan)
    if (judged is None or judged.paired) and not _same_seeds(np.isfinite(x[able])):
        x = _without_seeds(x)
        able &= np.isfinite(x).sum(axis=1) > 1
    chance, kept = np.full(len(values), np.nan), np.flatnonzero(able)
    if not len(kept):
        return chance
    means = _draws(x[kept])
    if errors is not None and not lost.any():
        means += _shared(x[kept], PairErrors(*(field[np.ix_(kept, kept)] for field in errors)))
    if judged is not None:
        _bounded(means, x[kept], kept.tolist(), judged)
    best = means == means.max(axis=1, keepdims=True)
    chance[kept] = (best / best.sum(axis=1, keepdims=True)).mean(axis=0)
    return chance


def _same_seeds(there: NDArray[np.bool_]) -> bool:
    return bool((there == there[:1]).all())


def _without_seeds(x: Floats) -> Floats:
    """Return values less their seeds' effects, by least squares, on the seeds that two arms or more have."""
    x = np.where(np.isfinite(x).sum(axis=0) > 1, x, np.nan)
    arm, seed = np.nonzero(np.isfinite(x))
    if not len(arm):
        return x
    rows = np.zeros((len(arm), sum(x.shape)))
    rows[np.arange(len(rows)), arm] = rows[np.arange(len(rows)), len(x) + seed] = 1.0
    fitted, *_ = np.linalg.lstsq(rows, x[arm, seed] - x[arm, seed].mean(), rcond=None)
    return np.asarray(x - fitted[len(x) :])


def _shared(x: Floats, errors: PairErrors) -> Floats:
    """Return draws (draws, arms) of what the errors of pairs have beyond the seeds' own, as far as it is one law's."""
    d = x[:, None] - x
    n, _, sd = moments(d.reshape(-1, x.shape[1]))
    own = (sd**2 / np.maximum(n, 1)).reshape(errors.error.shape)
    more = np.maximum(0.0, np.nan_to_num(errors.error**2 - own))
    np.fill_diagonal(more, 0.0)
    centred = np.eye(len(x)) - 1 / len(x)
    size, direction = np.linalg.eigh(-0.5 * centred @ more @ centred)  # of squared distances: classical scaling
    factor = direction * np.sqrt(np.maximum(size, 0.0))
    numbers = np.random.default_rng(_SEED + 2).standard_normal((DRAWS, len(x)))
    widest = int(max(2, np.isfinite(x).sum(axis=1).min()))
    return np.asarray((numbers @ factor.T) * _widths(widest)[:, None])


def _bounded(means: Floats, x: Floats, arms: list[int], judged: Judgement) -> None:
    """Take down, in place, draws of arms that lead others against the judgement."""
    at, centre = {arm: k for k, arm in enumerate(arms)}, np.nanmean(x, axis=1)
    share = judged.lost / np.maximum(judged.finished, 1)
    order = [arm for arm in judged.order if arm in at]
    for place, i in enumerate(order):
        for j in order[:place]:
            survives = share[i] > share[j] and not judged.beats[i, j]
            if (survives or judged.beats[j, i]) and centre[at[i]] > centre[at[j]]:
                means[:, at[i]] = np.minimum(means[:, at[i]], means[:, at[j]])


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
