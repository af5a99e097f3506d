"""Levels of tests in a sequence: by hand, and by what a simulated chain of experiments finds."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.special import stdtr, zeta

from core.analysis.statistics.online import level, wealth


def test_levels_by_hand() -> None:
    """The formula of Ramdas et al. 2017, section 2.3, with w = alpha / 2 and g(t) = t^-1.6 / zeta(1.6)."""

    def g(t: int) -> float:
        return float(t**-1.6 / zeta(1.6))

    assert level(1, [], 0.05) == pytest.approx(0.025 * g(1), rel=1e-12)
    assert level(4, [], 0.05) == pytest.approx(0.025 * g(4), rel=1e-12)
    assert level(3, [2], 0.05) == pytest.approx(0.025 * g(3) + 0.025 * g(1), rel=1e-12)
    assert level(7, [5, 2, 5], 0.05) == pytest.approx(0.025 * (g(7) + g(5)) + 0.05 * 2 * g(2), rel=1e-12)


def test_levels_never_come_to_more_than_what_there_is() -> None:
    levels = [level(t, [], 0.05) for t in range(1, 400)]
    assert all(a > b > 0 for a, b in pairwise(levels))
    assert sum(levels) < 0.025
    found = [3, 3, 10]
    given = [level(t, [r for r in found if r < t], 0.05) for t in range(1, 2000)]
    assert wealth(given, len(found), 0.05) == pytest.approx(
        sum(level(t, found, 0.05) for t in range(2000, 400_000)), rel=0.05
    )
    assert wealth([], 0, 0.05) == 0.025


@pytest.mark.parametrize("known", [[4], [0], [2, 5]])
def test_a_discovery_that_was_not_known_yet_is_refused(known: list[int]) -> None:
    with pytest.raises(ValueError, match="precede test 4"):
        level(4, known, 0.05)


@pytest.mark.parametrize(("effect", "most"), [(0.0, 0.04), (1.2, 0.06)])
def test_few_of_what_a_chain_keeps_is_no_better(effect: float, most: float) -> None:
    """Paired t tests of 10 seeds in chains of 20, of which three in ten have the effect."""
    rng = np.random.default_rng(7)
    shares = []
    for _ in range(300):
        real = (rng.random(20) < 0.3) & (effect > 0)
        d = rng.normal(size=(20, 10)) + effect * real[:, None]
        p = stdtr(9, -d.mean(1) / d.std(1, ddof=1) * np.sqrt(10))
        known: list[int] = []
        for t in range(1, 21):
            if p[t - 1] < level(t, known, 0.05):
                known.append(t)
        wrong = sum(not real[t - 1] for t in known)
        shares.append(wrong / max(len(known), 1))
    assert 0 < np.mean(shares) < most
