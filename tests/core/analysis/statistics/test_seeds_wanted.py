"""Seeds that are planned on a margin, and the range where there is none, beside scipy's noncentral t."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from core.analysis.statistics.seeds_wanted import SeedsRange, effect_interval, planned_seeds, seeds_range


@pytest.mark.parametrize(("n", "t"), [(2, 1.0), (3, 1.0), (3, 20.0), (5, 2.5), (5, -2.5), (5, 0.0), (10, 8.0)])
def test_the_ends_of_an_effect_s_interval_give_t_a_chance_of_one_in_forty(n: int, t: float) -> None:
    low, high = effect_interval(t / n**0.5, n)
    assert low < t / n**0.5 < high
    assert stats.nct.sf(t, n - 1, low * n**0.5) == pytest.approx(0.025, abs=1e-4)
    assert stats.nct.cdf(t, n - 1, high * n**0.5) == pytest.approx(0.025, abs=1e-4)


def test_an_effect_s_interval_is_that_of_the_books_and_has_no_far_tail() -> None:
    """conf.limits.nct(ncp=2.83, df=126) of R's MBESS: 0.8337502 to 4.815359. Far out the sd alone is not known."""
    low, high = effect_interval(2.83 / 127**0.5, 127)
    assert (low * 127**0.5, high * 127**0.5) == pytest.approx((0.83375, 4.81536), abs=1e-4)
    spread = np.sqrt(stats.chi2.ppf([0.025, 0.975], 4) / 4)
    assert effect_interval(1e6, 5) == pytest.approx(tuple(1e6 * spread), rel=2e-3)


@pytest.mark.parametrize("n", [3, 5, 10])
def test_s13_a_plan_on_a_margin_has_its_power_in_four_pilots_of_five(n: int) -> None:
    """A margin of half a standard deviation takes 34 pairs (G*Power); three standard errors of 2,000 are 2.7 %."""
    pilots = np.random.default_rng(13).normal(0, 1, (2_000, n)).std(axis=1, ddof=1)
    planned = [planned_seeds(0.5, float(sd), n, 0.05) for sd in pilots]
    assert 0.773 < np.mean([seeds is None or seeds >= 34 for seeds in planned]) < 0.83


def test_s13_of_equal_arms_nobody_is_sent_after_what_was_measured() -> None:
    """The interval of most such effects holds 0: no number of seeds would show them."""
    found = [
        seeds_range(float(d.mean() / d.std(ddof=1)), 5, 0.05) for d in np.random.default_rng(5).normal(0, 1, (400, 5))
    ]
    assert np.mean([one.most is None for one in found]) == pytest.approx(0.95, abs=0.033)


def test_a_range_is_that_of_the_ends() -> None:
    low, high = effect_interval(1.5, 10)
    found = seeds_range(1.5, 10, 0.05)
    assert found == seeds_range(-1.5, 10, 0.05)
    for effect, seeds in ((high, found.fewest), (low, found.most)):
        assert seeds is not None
        assert TTestPower().power(effect, seeds, 0.05) >= 0.8
        assert seeds == 3 or TTestPower().power(effect, seeds - 1, 0.05) < 0.8


def test_three_pairs_are_the_fewest_and_ten_thousand_the_most() -> None:
    assert planned_seeds(1.0, 1e-9, 5, 0.05) == 3
    assert planned_seeds(1.0, 0.0, 5, 0.05) == 3
    assert planned_seeds(1e-4, 1.0, 5, 0.05) is None
    assert seeds_range(100.0, 5, 0.05) == SeedsRange(3, 3)
    assert seeds_range(0.01, 100, 0.05).most is None
