import pytest
from statsmodels.stats.power import TTestPower

from core.analysis.statistics.power import detectable, power, seeds_needed
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
    assert power(n, detectable(n, level), level) == pytest.approx(0.8, abs=1e-5)


def test_more_pairs_see_less_and_stricter_levels_need_more() -> None:
    assert detectable(3, 0.05) > detectable(5, 0.05) > detectable(30, 0.05)
    assert not_none(seeds_needed(0.5, 0.05 / 6)) > not_none(seeds_needed(0.5, 0.05))


def test_no_effect_and_a_tiny_one_are_never_seen() -> None:
    assert seeds_needed(0.0, 0.05) is None
    assert seeds_needed(0.001, 0.05) is None
    assert seeds_needed(-0.5, 0.05) == 34
    assert seeds_needed(50.0, 0.05) == 2
