"""Errors that know of the split, against an analysis of variance, theory, and the size of their tests."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from bench.split_error import LAWS, false_wins, false_wins_of_splits
from core.analysis.statistics.splits import resampled_factor, two_way_error


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


def test_equal_arms_on_one_split_are_rarely_called_different() -> None:
    """S17: seeds alone are wrong in a third; the bound of the page is 7.5 %, the rest is this test's own noise."""
    alone, both = false_wins(LAWS["split dominates"], n=10, m=360, experiments=300)
    assert alone > 0.25
    assert both < 0.09


def test_equal_learners_on_splits_of_one_data_set_are_rarely_called_different() -> None:
    plain, corrected = false_wins_of_splits(10, 200, 0.2, experiments=300)
    assert plain > 0.15
    assert corrected < 0.09
