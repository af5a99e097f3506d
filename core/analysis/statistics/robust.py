"""A second opinion on paired differences without a normal law: Hodges and Lehmann's estimate, signed-rank limits."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from core.analysis.statistics.intervals import Floats

LEAST = 6
"""The pairs from which signed-rank limits at 95 % are not all of the line."""
EXACT = 50
"""Pairs up to which the law of the signed-rank sum is counted out; beyond, it is taken as normal."""


class Robust(NamedTuple):
    """An estimate of the median of differences, and its limits."""

    estimate: float
    ci_low: float
    ci_high: float


def signed_rank(differences: Floats, alpha: float) -> Robust | None:
    """Return the median of the Walsh averages of the finite differences, and its limits at 1 - alpha; None below six.

    The averages of all pairs of differences, each with itself too (Hodges and Lehmann 1963, doi:10.1214/aoms/
    1177704172). The limits are the averages that Wilcoxon's signed-rank test does not reject, so they hold for any
    symmetric law. None, too, where even the widest limits do not reach the level.
    """
    x = differences[np.isfinite(differences)]
    n = len(x)
    if n < LEAST:
        return None
    first, second = np.triu_indices(n)
    walsh = np.sort((x[first] + x[second]) / 2)
    skip = _rejected(n, alpha)
    if skip < 1:
        return None
    return Robust(float(np.median(walsh)), float(walsh[skip - 1]), float(walsh[-skip]))


@lru_cache(maxsize=256)
def _rejected(n: int, alpha: float) -> int:
    """Return the number of signed-rank sums from 0 on that the two-sided test of n pairs rejects at alpha."""
    if n > EXACT:
        middle, spread = n * (n + 1) / 4, np.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        return int(np.floor(middle + ndtri(alpha / 2) * spread))
    ways = np.zeros(n * (n + 1) // 2 + 1)
    ways[0] = 1.0
    for rank in range(1, n + 1):  # each rank has its sign by a fair coin
        ways[rank:] = ways[rank:] + ways[:-rank]
    below = np.cumsum(ways) / 2.0**n
    return int(np.searchsorted(below, alpha / 2, side="right"))
