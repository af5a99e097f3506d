"""The power of the paired t test: the effects that n pairs can show, and the seeds that an effect needs."""

from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import nctdtr, stdtrit

POWER = 0.8
MOST = 10_000
"""The most seeds that are suggested: nobody trains more."""


def power(n: int, effect: float, level: float) -> float:
    """Return the chance that the two-sided paired t test of n pairs rejects at `level`.

    `effect` is the true mean of the differences in their standard deviations, which are normal: t is then noncentral
    (Cohen 1988, Statistical Power Analysis for the Behavioral Sciences, 2nd ed., section 2.3).
    """
    critical = -stdtrit(n - 1, level / 2)
    away = abs(effect) * np.sqrt(n)
    wrong_side = np.nan_to_num(nctdtr(n - 1, away, -critical))  # scipy has no number where it is below 1e-13
    return float(1 - nctdtr(n - 1, away, critical) + wrong_side)


@lru_cache(maxsize=1024)
def detectable(n: int, level: float) -> float:
    """Return the smallest effect that n >= 2 pairs show with 80 % power, in standard deviations of a difference."""
    high = 2.0
    while power(n, high, level) < POWER:
        high *= 2
    return float(brentq(lambda effect: power(n, effect, level) - POWER, 0.0, high, xtol=1e-6))


@lru_cache(maxsize=1024)
def seeds_needed(effect: float, level: float) -> int | None:
    """Return the fewest pairs that show the effect with 80 % power; None beyond 10,000 or for no effect."""
    low, high = 1, 2
    if not effect:
        return None
    while power(high, effect, level) < POWER:
        low, high = high, 2 * high
        if low > MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle, effect, level) >= POWER else (middle, high)
    return high if high <= MOST else None
