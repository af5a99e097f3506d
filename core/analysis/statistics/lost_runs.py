"""Compares two arms by ranks in which a run that came to no value is the worst: who survived cannot lead."""

import itertools
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.analysis.statistics.chances import sign_flip
from core.analysis.statistics.intervals import Floats, Ints

FLIPPED_FROM = 6
"""Seeds from which signs are flipped within seeds: with five, no p is below 2^-4 = 0.0625."""


class RankTests(NamedTuple):
    """One test a pair: its seeds, the mean difference of its arms' ranks (above 0: the first is better), and p."""

    n: Ints
    difference: Floats
    p: Floats


def worst_rank_tests(scores: Floats, lost: NDArray[np.bool_], pairs: Sequence[tuple[int, int]]) -> RankTests:
    """Return the worst-rank tests of pairs of arms, NaN where fewer than two seeds have finished in both.

    `scores` (arms, seeds) are better the larger they are, NaN where a run has none; `lost` are the runs that finished
    without one. On the seeds that both arms finished, the runs of a pair are ranked together, all lost ones tied behind
    the last (Lachin 1999, Controlled Clinical Trials 20: worst-rank score analysis). From six seeds on, the signs of
    the differences of ranks within seeds are flipped (exact up to 12 seeds). Below, where that cannot decide, the runs
    are taken as unpaired: Wilcoxon's rank sum, exact with its ties, which is conservative where the runs of a seed are
    alike.
    """
    ordered = np.where(lost, -np.inf, scores)
    n, mean, p = np.zeros(len(pairs), np.int64), np.full(len(pairs), np.nan), np.full(len(pairs), np.nan)
    flipped = np.full((len(pairs), scores.shape[1]), np.nan)
    for k, (i, j) in enumerate(pairs):
        both = ~np.isnan(ordered[i]) & ~np.isnan(ordered[j])
        n[k] = both.sum()
        if n[k] < 2:
            continue
        ranks = _ranks(np.concatenate([ordered[i, both], ordered[j, both]])).reshape(2, -1)
        d = ranks[0] - ranks[1]
        mean[k] = d.mean()
        if n[k] < FLIPPED_FROM:
            p[k] = _rank_sum(ranks)
        else:
            flipped[k, both] = d
    paired = n >= FLIPPED_FROM
    p[paired] = sign_flip(flipped[paired])
    return RankTests(n, mean, p)


def _ranks(x: Floats) -> Floats:
    """Return ranks from 1, the mean of their places for ties."""
    ordered = np.sort(x)
    return (np.searchsorted(ordered, x, "left") + np.searchsorted(ordered, x, "right") + 1) / 2


def _rank_sum(ranks: Floats) -> float:
    """Return the two-sided exact p of the first row's sum among all ways to take half of the ranks (2, n)."""
    n = ranks.shape[1]
    middle = ranks.sum() / 2
    sums = ranks.ravel()[_halves(n)].sum(axis=1)
    return float((np.abs(sums - middle) >= abs(ranks[0].sum() - middle) - 1e-9).mean())


@lru_cache(maxsize=8)
def _halves(n: int) -> NDArray[np.int64]:
    return np.array(list(itertools.combinations(range(2 * n), n)))
