"""Hodges and Lehmann's estimate, and limits that are those of scipy's exact signed-rank test."""

import numpy as np
import pytest
from scipy import stats

from core.analysis.statistics.robust import signed_rank


@pytest.mark.parametrize("n", [6, 9, 20, 50])
def test_the_limits_are_the_last_that_the_exact_test_does_not_reject(n: int) -> None:
    d = np.random.default_rng(n).standard_t(2, n) + 0.5
    found = signed_rank(d, 0.05)
    assert found is not None

    def p(at: float) -> float:
        return float(stats.wilcoxon(d - at, method="exact").pvalue)

    step = 1e-9
    assert p(found.ci_low - step) < 0.05 <= p(found.ci_low + step)
    assert p(found.ci_high + step) < 0.05 <= p(found.ci_high - step)
    walsh = [(a + b) / 2 for i, a in enumerate(d) for b in d[i:]]
    assert found.estimate == pytest.approx(np.median(walsh))


def test_many_pairs_take_the_normal_law() -> None:
    d = np.random.default_rng(3).normal(0.1, 1, 200)
    found = signed_rank(d, 0.05)
    assert found is not None
    assert stats.wilcoxon(d - found.ci_low, method="approx").pvalue == pytest.approx(0.05, abs=0.001)


def test_five_pairs_have_no_limits() -> None:
    assert signed_rank(np.arange(5.0), 0.05) is None
    assert signed_rank(np.array([1.0, 2, 3, 4, 5, np.nan]), 0.05) is None
    assert signed_rank(np.arange(6.0), 0.01) is None  # even the widest hold at 96.9 % alone


def test_an_outlier_moves_the_estimate_little() -> None:
    found = signed_rank(np.array([1.0, 1.1, 0.9, 1.05, 0.95, 100.0, 1.02]), 0.05)
    assert found is not None
    assert found.estimate == pytest.approx(1.025, abs=0.05)
