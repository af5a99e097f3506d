"""Compares two arms by ranks in which a run that came to no value is the worst: who survived cannot lead."""

import itertools
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from core.analysis.statistics.intervals import Floats, Ints

FLIPPED_FROM = 6
"""Seeds from which signs are flipped within seeds: with five, no p is below 2^-4 = 0.0625."""
COUNTED = 64
"""Seeds up to which every way to flip signs is counted."""


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
    the differences of ranks within seeds are flipped (exact up to 64 seeds, then by the normal law). Below, where that
    cannot decide, the runs are taken as unpaired: Wilcoxon's rank sum, exact with its ties, which is conservative where
    the runs of a seed are alike. Where one arm lost all of its n runs and the other none, p is 2·4^(-n): two arms that
    lose runs alike come to that with no larger chance, q^n (1 - q)^n either way. It is the smallest p of n seeds, so
    that no other is changed.
    """
    ordered = np.where(lost, -np.inf, scores)
    n, mean, p = np.zeros(len(pairs), np.int64), np.full(len(pairs), np.nan), np.full(len(pairs), np.nan)
    for k, (i, j) in enumerate(pairs):
        both = ~np.isnan(ordered[i]) & ~np.isnan(ordered[j])
        n[k] = both.sum()
        if n[k] < 2:
            continue
        ranks = _ranks(ordered[[i, j]][:, both])
        d = ranks[0] - ranks[1]
        mean[k] = d.mean()
        if _all_and_none(lost[i, both], lost[j, both]):
            p[k] = 2.0 * 4.0 ** -n[k]
        elif n[k] < FLIPPED_FROM:
            p[k] = _rank_sum(ranks)
        else:
            p[k] = flipped(d)
    return RankTests(n, mean, p)


def _all_and_none(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> bool:
    return bool((a.all() and not b.any()) or (b.all() and not a.any()))


def _ranks(x: Floats) -> Floats:
    """Return ranks from 1 among all of two arms (2, n), the mean of their places for ties."""
    ordered = np.sort(x, axis=None)
    return (np.searchsorted(ordered, x, "left") + np.searchsorted(ordered, x, "right") + 1) / 2


def rank_differences(scores: Floats, lost: NDArray[np.bool_]) -> Floats:
    """Return the differences of ranks within seeds of two arms (2, seeds), of the seeds that both finished."""
    ordered = np.where(lost, -np.inf, scores)
    both = ~np.isnan(ordered).any(axis=0)
    ranks = _ranks(ordered[:, both])
    return np.asarray(ranks[0] - ranks[1])


def flipped(differences: Floats) -> float:
    """Return the two-sided p of flipping the signs of differences of ranks, which are whole or half numbers.

    The law of the sum is counted out, one seed after another: drawn flips would be never below their number, and one
    lost run would then keep an arm from beating any in a large family. Beyond 64 seeds it is near its normal limit.
    """
    steps = np.abs(np.rint(2 * differences)).astype(np.int64)
    far = abs(int(np.rint(2 * differences).sum()))
    if len(steps) > COUNTED:
        return float(2 * ndtr(-far / np.sqrt((steps**2).sum()))) if far else 1.0
    law = np.ones(1)
    for step in steps[steps > 0].tolist():
        wider = np.zeros(len(law) + 2 * step)
        wider[: len(law)] += law / 2
        wider[2 * step :] += law / 2
        law = wider
    sums = np.abs(np.arange(len(law)) - len(law) // 2)
    return float(law[sums >= far].sum())


def _rank_sum(ranks: Floats) -> float:
    """Return the two-sided exact p of the first row's sum among all ways to take half of the ranks (2, n)."""
    n = ranks.shape[1]
    middle = ranks.sum() / 2
    sums = ranks.ravel()[_halves(n)].sum(axis=1)
    return float((np.abs(sums - middle) >= abs(ranks[0].sum() - middle) - 1e-9).mean())


@lru_cache(maxsize=8)
def _halves(n: int) -> NDArray[np.int64]:
    return np.array(list(itertools.combinations(range(2 * n), n)))
