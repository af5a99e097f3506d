"""Statistics of counts: the sign-flip test of pairs, and shares of runs."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.analysis.shapes import Rate
from core.analysis.statistics.intervals import CONFIDENCE, Floats, Ints

EXACT = 12
"""Seeds up to which every way to flip signs is tried: 4,096 of them."""
FLIPS = 9_999
_SEED = 20_261_126
_PAIRS = 256
"""Pairs of arms whose signs are flipped at once, 20 MB."""


def sign_flip(differences: Floats) -> Floats:
    """Return the permutation test's two-sided p of every row (rows, seeds) of paired differences, NaN where none is.

    If two arms are equal, each difference could as well have had the other sign: p is the share of the ways to choose
    signs whose mean is at least as far from 0. All ways are tried for up to 12 seeds: p is exact then, whatever the
    distribution, and with n pairs never below 2^(1-n). Beyond, 9,999 are drawn, always the same, and the one that was
    measured counts as one more. A row needs two pairs.
    """
    there = np.isfinite(differences)
    n, p = there.sum(axis=1), np.full(len(differences), np.nan)
    first = np.take_along_axis(differences, np.argsort(~there, axis=1, kind="stable"), axis=1)  # what is there
    for count in np.unique(n[n > 1]).tolist():
        signs, rows = _signs(count).astype(np.float64), np.flatnonzero(n == count)
        for part in np.split(rows, range(_PAIRS, len(rows), _PAIRS)):
            d = first[part, :count]
            measured = np.abs(d.sum(axis=1, keepdims=True)) - 1e-9 * np.abs(d).sum(axis=1, keepdims=True)
            p[part] = (np.abs(d @ signs.T) >= measured).mean(axis=1)
    return p


@lru_cache(maxsize=16)
def _signs(seeds: int) -> NDArray[np.int8]:
    """Return ways to choose signs (ways, seeds), the measured one among them."""
    if seeds <= EXACT:
        return (1 - 2 * (np.arange(2**seeds)[:, None] >> np.arange(seeds) & 1)).astype(np.int8)
    drawn = np.random.default_rng(_SEED).choice(np.array([-1, 1], np.int8), (FLIPS, seeds))
    return np.concatenate([np.ones((1, seeds), np.int8), drawn])


def rate(hits: int, of: int) -> Rate | None:
    """Return the share of `of` runs with its 95 % interval by Wilson (1927, doi:10.1080/01621459.1927.10502953)."""
    if not of:
        return None
    low, high = _wilson(hits, of)
    return {"hits": hits, "n": of, "rate": hits / of, "ci_low": low, "ci_high": high}


def unseen_at_most(runs: int) -> float:
    """Return the largest share of runs that may be of a kind which none of `runs` shows, at 97.5 % confidence.

    It is the upper end of the exact 95 % interval of 0 of so many (Clopper and Pearson 1934,
    doi:10.1093/biomet/26.4.404).
    """
    return float(1 - ((1 - CONFIDENCE) / 2) ** (1 / runs)) if runs else 1.0


@lru_cache(maxsize=4096)
def _wilson(hits: int, of: int) -> tuple[float, float]:
    from scipy.stats import binomtest  # noqa: PLC0415 0.3 s to import: only who asks for a report pays

    interval = binomtest(hits, of).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


@lru_cache(maxsize=4096)
def same_share(hits_a: int, of_a: int, hits_b: int, of_b: int) -> float:
    """Return Fisher's exact two-sided p that two arms have the same chance of a hit; NaN where one has no runs."""
    from scipy.stats import fisher_exact  # noqa: PLC0415 0.3 s to import: only who asks for a report pays

    if not of_a or not of_b:
        return float("nan")
    return float(fisher_exact(np.array([[hits_a, of_a - hits_a], [hits_b, of_b - hits_b]])).pvalue)


def shares(lost: Ints, finished: Ints) -> Mapping[tuple[int, int], float]:
    """Return Fisher's p for every pair of arms in which a run was lost, of so many finished."""
    return {
        (i, j): same_share(int(lost[i]), int(finished[i]), int(lost[j]), int(finished[j]))
        for i in range(len(lost))
        for j in range(i + 1, len(lost))
        if (lost[i] or lost[j]) and finished[i] and finished[j]
    }
