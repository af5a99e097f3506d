"""The power of the paired t test: the effects that n pairs can show, and the seeds that an effect needs."""

from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import nctdtr, stdtrit

POWER = 0.8
MOST = 10_000
"""The most seeds that are suggested: nobody trains more."""
FARTHEST = 1_000
"""The largest effect that is told, in standard deviations of a difference."""


def power(n: int, effect: float, level: float, floor: float = 0.0) -> float:
    """Return the chance that the two-sided paired t test of n pairs rejects at `level`.

    `effect` is the true mean of the differences in their standard deviations, which are normal: t is then noncentral
    (Cohen 1988, Statistical Power Analysis for the Behavioral Sciences, 2nd ed., section 2.3). `floor`, in the same
    unit, is the part of the mean's standard error that no number of pairs takes away: sqrt(held out / trained on) where
    the pairs have splits of the same data (Nadeau & Bengio 2003).
    """
    critical = abs(float(stdtrit(n - 1, level / 2)))
    away = abs(effect) / float(np.sqrt(1 / n + floor**2))
    wrong_side = float(np.nan_to_num(nctdtr(n - 1, away, -critical)))  # scipy has no number where it is below 1e-13
    beyond = 1 - float(nctdtr(n - 1, away, critical))  # nor for the strictest levels and the largest effects
    return (beyond if np.isfinite(beyond) else float(away > critical)) + wrong_side


@lru_cache(maxsize=1024)
def detectable(n: int, level: float, floor: float = 0.0) -> float | None:
    """Return the smallest effect that n >= 2 pairs show with 80 % power, in standard deviations of a difference.

    None where that is beyond 1,000 of them, as it is for two pairs and a very strict level.
    """
    high = 2.0
    while power(n, high, level, floor) < POWER:
        high *= 2
        if high > FARTHEST:
            return None
    return float(brentq(lambda effect: power(n, effect, level, floor) - POWER, 0.0, high, xtol=1e-6))


@lru_cache(maxsize=1024)
def seeds_needed(effect: float, level: float, floor: float = 0.0) -> int | None:
    """Return the fewest pairs that show the effect with 80 % power; None beyond 10,000 or for no effect."""
    low, high = 1, 2
    if not effect:
        return None
    while power(high, effect, level, floor) < POWER:
        low, high = high, 2 * high
        if low > MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle, effect, level, floor) >= POWER else (middle, high)
    return high if high <= MOST else None
