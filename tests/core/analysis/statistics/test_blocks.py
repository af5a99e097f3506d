"""Several data sets as blocks, against scipy, a published table and a two-way analysis of variance by hand."""

import numpy as np
import pytest
from scipy import stats

from core.analysis.statistics.blocks import (
    block_effects,
    block_scale,
    cliques,
    critical_difference,
    friedman,
    range_quantile,
    ranked,
)

RNG = np.random.default_rng(17)


def test_the_scale_is_that_of_a_two_way_layout() -> None:
    values = RNG.normal(size=(4, 1)) + RNG.normal(size=(1, 6)) + 0.3 * RNG.normal(size=(4, 6))
    rest = values - values.mean(1, keepdims=True) - values.mean(0) + values.mean()
    assert block_scale(values) == pytest.approx(np.sqrt(2 * (rest**2).sum() / (3 * 5)), rel=1e-12)
    assert block_scale(values[:2]) == pytest.approx(np.std(values[0] - values[1], ddof=1), rel=1e-12)


def test_a_set_without_spread_or_with_one_seed_has_no_scale() -> None:
    assert np.isnan(block_scale(np.array([[0.9, 0.8, 0.7], [0.8, 0.7, 0.6]])))
    assert np.isnan(block_scale(np.array([[0.9], [0.8]])))


def test_effects_are_means_where_all_is_there_and_least_squares_where_not() -> None:
    values = RNG.normal(size=(3, 5))
    np.testing.assert_allclose(block_effects(values), values.mean(1) - values.mean(), rtol=1e-9)
    seeds = np.array([0.0, 10.0, 20.0, 30.0])
    missing = np.array([[1.0], [2.0], [4.0]]) + seeds
    missing[0, 3] = missing[2, 0] = np.nan
    np.testing.assert_allclose(block_effects(missing), np.array([1.0, 2.0, 4.0]) - 7 / 3, atol=1e-9)
    gone = np.array([[1.0, 2.0], [np.nan, np.nan], [2.0, 3.0]])
    np.testing.assert_allclose(block_effects(gone), [-0.5, np.nan, 0.5], atol=1e-9)


def test_ranks_are_those_of_scipy_with_what_has_no_mean_last() -> None:
    means = np.array([[0.9, 0.8, 0.8, 0.1], [0.5, np.nan, 0.6, np.nan]])
    np.testing.assert_array_equal(ranked(means, 1), [[1, 2.5, 2.5, 4], [2, 3.5, 1, 3.5]])
    np.testing.assert_array_equal(ranked(means[:1], -1), stats.rankdata(means[:1], axis=1))


def test_friedman_is_that_of_scipy_with_ties_too() -> None:
    means = np.round(RNG.normal([0, 0, 0.4, 0.8], size=(12, 4)), 1)
    found = friedman(ranked(means, -1))
    peer = stats.friedmanchisquare(*means.T)
    assert found.chi_square == pytest.approx(peer.statistic, rel=1e-12)
    f = 11 * peer.statistic / (12 * 3 - peer.statistic)
    assert found.f == pytest.approx(f, rel=1e-12)
    assert found.p == pytest.approx(stats.f.sf(f, 3, 33), rel=1e-9)


def test_the_example_of_demsar() -> None:
    """Demšar 2006, section 3.2.2: mean ranks of four classifiers on 14 data sets; F = 3.69, CD = 1.25, 1.16 at 0.10."""
    mean = np.array([3.143, 2.000, 2.893, 1.964])
    chi_square = 12 * 14 / 20 * ((mean**2).sum() - 4 * 25 / 4)
    assert 13 * chi_square / (14 * 3 - chi_square) == pytest.approx(3.69, abs=0.01)
    assert critical_difference(4, 14, 0.05) == pytest.approx(1.25, abs=0.005)
    assert critical_difference(4, 14, 0.10) == pytest.approx(1.12, abs=0.005)
    assert critical_difference(4, 14, 0.05, with_baseline=True) == pytest.approx(1.16, abs=0.015)


@pytest.mark.parametrize("k", [2, 5, 24])
def test_the_range_is_that_of_scipy(k: int) -> None:
    assert range_quantile(0.95, k) == pytest.approx(stats.studentized_range.ppf(0.95, k, np.inf), rel=1e-6)


def test_no_order_and_one_order() -> None:
    assert friedman(ranked(np.zeros((10, 3)), 1)).p == 1.0
    assert friedman(ranked(np.tile([3.0, 2.0, 1.0], (10, 1)), 1)).p == 0.0


def test_cliques_are_the_largest_groups_within_the_difference() -> None:
    found = cliques(np.array([4.0, 1.0, 1.5, 2.4, 3.9]), 1.5)
    assert [group.tolist() for group in found] == [[1, 2, 3], [4, 0]]
    assert [group.tolist() for group in cliques(np.array([1.0, 2.0, 3.0]), 1.5)] == [[0, 1], [1, 2]]
    assert cliques(np.array([1.0, 3.0]), 1.5) == []
