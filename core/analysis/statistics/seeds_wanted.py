"""The seeds that a pair of arms wants: planned on a margin, or a range where there is none, never one guess."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtri, ndtr

from core.analysis.statistics.intervals import CONFIDENCE, Floats
from core.analysis.statistics.power import seeds_needed
from core.design import FEWEST_PAIRS

ASSURANCE = 0.8
"""The share of pilots whose plan has the power that it promises."""
_POINTS = 2_000


class SeedsRange(NamedTuple):
    """The pairs that show an effect at either end of its interval; None: more than 10,000."""

    fewest: int | None
    most: int | None


def planned_seeds(margin: float, sd: float, n: int, level: float, floor: float = 0.0) -> int | None:
    """Return the pairs that show a true difference of `margin` with 80 % power; None: more than 10,000.

    `sd` is that of n >= 2 measured differences. Taken for the true one it is too small in half of the pilots, and the
    plan then has too little power; so the plan is made for its upper limit sd sqrt((n - 1) / c), c the quantile of
    chi-squared that 20 % are below (Browne 1995, doi:10.1002/sim.4780141709): of 100 plans 80 have the power. `floor`
    as in `power`.
    """
    upper = sd * float(np.sqrt((n - 1) / chdtri(n - 1, ASSURANCE)))
    return _pairs(margin / upper, level, floor) if upper > 0 else FEWEST_PAIRS


def seeds_range(effect: float, n: int, level: float, floor: float = 0.0) -> SeedsRange:
    """Return the pairs that show the largest and the least effect within the 95 % interval of the one measured.

    `effect` is the mean of n >= 2 differences in their standard deviations. There is no most where the interval holds
    0. The measured effect itself plans nothing: of equal arms it asks for some 80 seeds, whose verdict is then wrong in
    one experiment of ten.
    """
    low, high = effect_interval(effect, n, floor)
    far, near = max(abs(low), abs(high)), 0.0 if low <= 0 <= high else min(abs(low), abs(high))
    return SeedsRange(_pairs(far, level, floor), _pairs(near, level, floor))


def effect_interval(effect: float, n: int, floor: float = 0.0) -> tuple[float, float]:
    """Return the 95 % interval of a standardised mean of n >= 2 differences, by the noncentral t (Cumming, Finch 2001).

    Its ends are the true effects by which a t as small, or as large, as the measured one has half of the rest as its
    chance (doi:10.1177/0013164401614002).
    """
    error = float(np.sqrt(1 / n + floor**2))
    t, rest = effect / error, (1 - CONFIDENCE) / 2
    spreads = _spreads(n - 1)
    ends = (t * spreads[0], t * spreads[-1])

    def end(chance: float) -> float:
        def away(noncentrality: float) -> float:
            return float(ndtr(t * spreads - noncentrality).mean()) - chance

        return float(brentq(away, min(ends) - 9, max(ends) + 9, xtol=1e-9))

    return end(1 - rest) * error, end(rest) * error


def _pairs(effect: float, level: float, floor: float) -> int | None:
    found = seeds_needed(effect, level, floor)
    return None if found is None else max(FEWEST_PAIRS, found)


@lru_cache(maxsize=64)
def _spreads(freedom: int) -> Floats:
    """Return evenly likely values of sd over the true one: the noncentral t is a mean of normals over them."""
    return np.asarray(np.sqrt(chdtri(freedom, 1 - (np.arange(_POINTS) + 0.5) / _POINTS) / freedom))
