import itertools

import numpy as np
import pytest
from scipy import stats

from core.analysis.statistics.sequential import course, look_levels

EVEN = (5, 10, 15, 20)


def decided_at(looks: tuple[int, ...], levels: tuple[float, ...], effect: float = 0.0, seed: int = 7) -> np.ndarray:
    """Return the look, by its index, at which each of 40,000 comparisons of whole seeds is decided; -1: none."""
    d = np.random.default_rng(seed).normal(effect, 1.0, (40_000, looks[-1]))
    found = np.full(len(d), -1)
    for k, (n, level) in reversed([*enumerate(zip(looks, levels, strict=True))]):
        found[stats.ttest_1samp(d[:, :n], 0.0, axis=1).pvalue < level] = k
    return found


@pytest.mark.parametrize(("even", "boundary"), [(2, 1.977), (3, 2.004), (4, 2.024), (5, 2.040)])
def test_of_many_seeds_the_levels_are_the_textbook_ones(even: int, boundary: float) -> None:
    """O'Brien and Fleming's C at 0.05, of known variances (Jennison and Turnbull 2000, table 2.3)."""
    found = look_levels(tuple(1000 * (i + 1) for i in range(even)), 0.05)
    assert found == pytest.approx(2 * stats.norm.sf(boundary / np.sqrt(np.arange(1, even + 1) / even)), rel=0.03)


@pytest.mark.parametrize("looks", [EVEN, (3, 6, 12), (5, 7, 30), (8, 40)])
@pytest.mark.parametrize("level", [0.05, 0.05 / 6])
def test_equal_arms_are_told_apart_at_the_level_over_all_looks(looks: tuple[int, ...], level: float) -> None:
    levels = look_levels(looks, level)
    assert all(a < b for a, b in itertools.pairwise(levels))
    error = float((decided_at(looks, levels) >= 0).mean())
    assert error == pytest.approx(level, abs=3.5 * (level / 40_000) ** 0.5)


def test_a_few_seeds_need_stricter_levels_than_the_textbook_and_no_correction_is_none() -> None:
    textbook = decided_at(EVEN, (0.00005, 0.0042, 0.0194, 0.0430))
    assert 0.0505 < (textbook >= 0).mean() < 0.055
    assert (decided_at(EVEN, (0.05,) * 4) >= 0).mean() > 0.12


@pytest.mark.parametrize("effect", [0.0, 0.5, 1.0, -1.0])
def test_the_course_is_that_of_experiments_whose_seeds_are_trained(effect: float) -> None:
    ends = decided_at(EVEN, look_levels(EVEN, 0.05), abs(effect))
    found = course(EVEN, 0.05, effect)
    assert found.seeds() == pytest.approx(np.where(ends < 0, 20, 5 * (ends + 1)).mean(), abs=0.1)
    assert found.power == pytest.approx((ends >= 0).mean(), abs=0.012)
    assert course(EVEN, 0.05, 1.0).seeds() == pytest.approx(13.9, abs=0.15)


def test_the_longest_of_several_comparisons_takes_more_seeds() -> None:
    levels = look_levels(EVEN, 0.05)
    ends = np.stack([decided_at(EVEN, levels, 1.0, seed) for seed in range(3)])
    longest = np.where((ends < 0).any(axis=0), 20, 5 * (ends.max(axis=0) + 1))
    assert course(EVEN, 0.05, 1.0).seeds(3) == pytest.approx(longest.mean(), abs=0.1)


def test_levels_too_small_for_draws_add_up_to_theirs() -> None:
    """No more than the level at any look, then; and nearly all of it at the last."""
    levels = look_levels(EVEN, 1e-6)
    assert sum(levels) == pytest.approx(1e-6)
    assert levels[-1] > 0.9e-6
    drawn, summed = look_levels(EVEN, 1e-4)[-1] / 1e-4, look_levels(EVEN, 0.9e-4)[-1] / 0.9e-4
    assert drawn == pytest.approx(summed, rel=0.2)
