"""The level of each test in a sequence of experiments, so that few of those called better are not (online FDR)."""

from collections.abc import Sequence

from scipy.special import zeta

DECAY = 1.6
"""The exponent by which levels fall while nothing is found: that of SAFFRON (Ramdas et al. 2018, arXiv:1802.09098)."""
FIRST = 0.5
"""The part of alpha that is there to begin with; what is found earns the rest, and alpha again each time."""
_TOTAL = float(zeta(DECAY))


def level(position: int, found: Sequence[int], alpha: float) -> float:
    """Return the level of the test at `position` (1, 2, ...) of a sequence.

    `found` are the discoveries that are known when the test begins, each as the position of the last test that had
    begun by the time it was known: at least 1, below `position`, and never more of them than positions up to there.

    LORD++ (Javanmard & Montanari 2018, doi:10.1214/17-AOS1559; Ramdas et al. 2017, arXiv:1710.00499) in the form for
    tests that overlap in time (Zrnic, Ramdas & Jordan 2021, arXiv:1812.05068): the level depends on what was known
    when the test began and on nothing later. It is g(t)·w + g(t - r_1)·(alpha - w) + alpha times the sum of g(t - r_j)
    over j > 1, with w = alpha / 2, r the times of discoveries and g(t) = t^-1.6 / zeta(1.6), which sums to 1. The
    false discovery rate is at most alpha where the p-values of true nulls are independent of one another and of what
    was found before.
    Raises ValueError for a discovery at or after `position`.
    """
    times = sorted(found)
    if any(not 1 <= time < position for time in times):
        raise ValueError(f"discoveries known after {times} do not all precede test {position}")
    first = FIRST * alpha
    earned = [alpha - first, *[alpha] * (len(times) - 1)]
    later = sum(worth * _share(position - time) for worth, time in zip(earned, times, strict=False))
    return first * _share(position) + later


def wealth(levels: Sequence[float], found: int, alpha: float) -> float:
    """Return what is left to spend after tests at `levels`, of which `found` were discoveries.

    It is what all further tests together would be given if none of them were a discovery.
    """
    earned = (1 - FIRST) * alpha + (found - 1) * alpha if found else 0.0
    return FIRST * alpha + earned - sum(levels)


def _share(step: int) -> float:
    """Return the part of a sum that the test so many steps after it was earned is given; all of them sum to 1."""
    return float(step**-DECAY) / _TOTAL
