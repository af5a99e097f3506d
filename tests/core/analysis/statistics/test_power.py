import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from core.analysis.statistics.power import detectable, power, seeds_needed
from core.analysis.statistics.seeds_wanted import planned_seeds, seeds_range
from tests.core.analysis.reading import not_none


@pytest.mark.parametrize(("effect", "pairs"), [(0.2, 199), (0.5, 34), (0.8, 15)])
def test_small_medium_and_large_effects_take_the_pairs_of_the_tables(effect: float, pairs: int) -> None:
    """Cohen's three effects for a paired t test at 0.05, two-sided, power 0.8, as G*Power gives them."""
    assert seeds_needed(effect, 0.05) == pairs


@pytest.mark.parametrize("n", [2, 3, 5, 20])
@pytest.mark.parametrize("level", [0.05, 0.05 / 21])
def test_power_is_statsmodels(n: int, level: float) -> None:
    for effect in (0.3, 0.6, 1.0):
        peer = TTestPower().power(effect, n, level, alternative="two-sided")
        assert power(n, effect, level) == pytest.approx(peer, abs=1e-9)
    assert power(n, 1e4, level) == pytest.approx(1)  # where scipy's far tail, and so statsmodels, has no number
    assert power(n, not_none(detectable(n, level)), level) == pytest.approx(0.8, abs=1e-5)


def test_more_pairs_see_less_and_stricter_levels_need_more() -> None:
    three, five, thirty = (not_none(detectable(n, 0.05)) for n in (3, 5, 30))
    assert three > five > thirty
    assert not_none(seeds_needed(0.5, 0.05 / 6)) > not_none(seeds_needed(0.5, 0.05))


def test_no_effect_and_a_tiny_one_are_never_seen() -> None:
    assert seeds_needed(0.0, 0.05) is None
    assert seeds_needed(0.001, 0.05) is None
    assert seeds_needed(-0.5, 0.05) == 34
    assert seeds_needed(50.0, 0.05) == 2


@pytest.mark.parametrize("n", [3, 10, 200])
def test_a_floor_is_noncentral_t_of_the_larger_error(n: int) -> None:
    """Pairs whose splits share a quarter: the mean's error is s sqrt(1/n + 1/4)."""
    away = 0.5 / (1 / n + 0.25) ** 0.5
    critical = stats.t.ppf(0.975, n - 1)
    peer = 1 - stats.nct.cdf(critical, n - 1, away) + stats.nct.cdf(-critical, n - 1, away)
    assert power(n, 0.5, 0.05, 0.5) == pytest.approx(peer, abs=1e-9)


def test_where_splits_share_too_much_no_number_of_seeds_shows_an_effect() -> None:
    assert seeds_needed(0.5, 0.05) == 34
    assert seeds_needed(0.5, 0.05, 0.5) is None
    assert planned_seeds(0.5, 1.0, 10, 0.05, 0.5) is None
    assert seeds_range(0.5, 10, 0.05, 0.5).most is None


def test_two_pairs_at_a_level_of_next_to_nothing_show_nothing() -> None:
    assert detectable(2, 1e-12) is None
    assert seeds_needed(1.0, 1e-12) is not None
