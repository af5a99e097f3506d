"""Errors that know of the split, against an analysis of variance, theory, and the size of their tests."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from split_error import LAWS, false_wins, false_wins_of_splits
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from core.analysis.statistics.decisions import DecisionRule, decide
from core.analysis.statistics.paired import PairErrors, compare
from core.analysis.statistics.splits import resampled_errors, resampled_factor, two_way_error


def test_the_variance_is_that_of_a_two_way_analysis_of_variance() -> None:
    """From the mean squares of statsmodels: (MS_seed + MS_example - MSE) / (n m), df by Satterthwaite."""
    random = np.random.default_rng(1)
    n, m = 5, 12
    d = random.standard_normal((n, 1)) + 2 * random.standard_normal(m) + random.standard_normal((n, m))
    table = pd.DataFrame({"d": d.ravel(), "seed": np.repeat(np.arange(n), m), "example": np.tile(np.arange(m), n)})
    found = anova_lm(ols("d ~ C(seed) + C(example)", table).fit())
    squares, df = found["sum_sq"] / found["df"], found["df"]
    parts = np.array([squares["C(seed)"], squares["C(example)"], -squares["Residual"]]) / (n * m)
    assert two_way_error(d).error ** 2 == pytest.approx(parts.sum())
    assert two_way_error(d).df == pytest.approx(parts.sum() ** 2 / (parts**2 / df.to_numpy()).sum())


def test_it_is_never_surer_than_seeds_alone() -> None:
    """Where examples differ less than their noise, as where every seed is shifted by its own constant."""
    d = np.array([[0.3], [0.1], [0.4], [0.2]]) + np.array([1e-3, -1e-3]) * np.array([[1], [-1], [1], [-1]])
    found = two_way_error(d)
    assert (found.error, found.df) == (pytest.approx(stats.sem(d.mean(axis=1))), 3)


def test_too_few_are_refused() -> None:
    with pytest.raises(ValueError, match="two seeds"):
        two_way_error(np.zeros((1, 5)))


def test_the_factor_is_that_of_nadeau_and_bengio() -> None:
    n = np.array([3, 10])
    assert resampled_factor(n, 20, 80) == pytest.approx(np.sqrt((1 / n + 0.25) / (1 / n)))


def test_pairs_are_compared_by_the_errors_that_are_given() -> None:
    """p and interval against scipy's t; a pair without an error, or without spread, stays the paired t's."""
    values = np.array([[0.9, 0.92, 0.95, 0.91], [0.85, 0.9, 0.86, 0.88], [0.8, 0.82, 0.85, 0.81]])
    plain = compare(values)
    errors = resampled_errors(values, np.array([0.25, 0.5, 0.25]))
    d = values[0] - values[1]
    assert errors.error[0, 1] == pytest.approx(d.std(ddof=1) * np.sqrt(1 / 4 + 0.5))
    found = compare(values, errors=errors)
    t = stats.t(3, loc=d.mean(), scale=errors.error[0, 1])
    assert (found.ci_low[0, 1], found.ci_high[0, 1]) == pytest.approx(t.interval(0.95))
    assert found.p[0, 1] == found.p[1, 0] == pytest.approx(2 * min(t.cdf(0), t.sf(0)))
    assert (found.p[0, 2], found.ci_low[0, 2]) == (plain.p[0, 2], plain.ci_low[0, 2]), "the same in every pair"
    other = compare(values, errors=PairErrors(np.full((3, 3), np.nan), np.full((3, 3), np.nan)))
    for mine, theirs in zip(other, plain, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_decisions_and_joint_intervals_have_those_degrees_of_freedom() -> None:
    values = np.array([[0.9, 0.92, 0.95, 0.91], [0.85, 0.9, 0.86, 0.88], [0.8, 0.83, 0.85, 0.81]])
    errors = PairErrors(np.full((3, 3), 0.02), np.full((3, 3), 1.5))
    found = decide(values, np.zeros((3, 4), bool), DecisionRule(sign=1, margin=0.03), errors)
    difference = (values[0] - values[1]).mean()
    half = stats.t.ppf(1 - 0.05 / 3 / 2, 1.5) * 0.02
    assert (found.ci_low[0, 1], found.ci_high[0, 1]) == pytest.approx((difference - half, difference + half))
    one_sided = {
        pair: stats.t.sf((0.03 - abs((values[pair[0]] - values[pair[1]]).mean())) / 0.02, 1.5)
        for pair in ((0, 1), (0, 2), (1, 2))
    }
    assert found.p_equivalence[0, 1] == pytest.approx(min(1, 3 * min(one_sided.values())), rel=1e-6)


def test_equal_arms_on_one_split_are_rarely_called_different() -> None:
    """S17: seeds alone are wrong in a third; the bound of the page is 7.5 %, the rest is this test's own noise."""
    alone, both = false_wins(LAWS["split dominates"], n=10, m=360, experiments=300)
    assert alone > 0.25
    assert both < 0.09


def test_equal_learners_on_splits_of_one_data_set_are_rarely_called_different() -> None:
    plain, corrected = false_wins_of_splits(10, 200, 0.2, experiments=300)
    assert plain > 0.15
    assert corrected < 0.09
