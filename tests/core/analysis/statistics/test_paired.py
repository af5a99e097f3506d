import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from core.analysis import compare, holm

A = np.array([0.971, 0.962, 0.978, 0.969, 0.973])
B = np.array([0.962, 0.955, 0.971, 0.969, 0.960])


def test_a_paired_comparison_is_scipy_s() -> None:
    found = compare(np.stack([A, B]))

    peer = stats.ttest_rel(A, B)
    interval = peer.confidence_interval(0.95)
    assert found.n[0, 1] == 5
    assert found.p[0, 1] == pytest.approx(peer.pvalue, rel=1e-10)
    assert found.difference[0, 1] == pytest.approx((A - B).mean(), rel=1e-12)
    assert found.ci_low[0, 1] == pytest.approx(interval.low, rel=1e-10)
    assert found.ci_high[0, 1] == pytest.approx(interval.high, rel=1e-10)
    assert found.p[1, 0] == found.p[0, 1]
    assert found.difference[1, 0] == -found.difference[0, 1]


def test_the_effect_size_is_cohen_s_d_z_times_hedges_correction() -> None:
    d = A - B
    j_of_4 = math.gamma(2) / (math.sqrt(2) * math.gamma(1.5))  # Hedges 1981: 0.7979 for 4 degrees of freedom

    assert j_of_4 == pytest.approx(0.7979, abs=1e-4)
    assert compare(np.stack([A, B])).effect_size[0, 1] == pytest.approx(d.mean() / d.std(ddof=1) * j_of_4, rel=1e-10)


def test_only_seeds_that_both_finished_are_paired() -> None:
    a, b = A.copy(), B.copy()
    a[0] = b[4] = np.nan

    found = compare(np.stack([a, b]))

    assert found.n[0, 1] == 3
    assert found.p[0, 1] == pytest.approx(stats.ttest_rel(A[1:4], B[1:4]).pvalue, rel=1e-10)


def test_two_pairs_have_a_test_but_no_effect_size_and_one_pair_neither() -> None:
    two, one = compare(np.stack([A, B])[:, :2]), compare(np.stack([A, B])[:, :1])

    assert two.p[0, 1] == pytest.approx(stats.ttest_rel(A[:2], B[:2]).pvalue, rel=1e-8)
    assert math.isnan(two.effect_size[0, 1])
    assert one.difference[0, 1] == pytest.approx(A[0] - B[0])
    assert math.isnan(one.p[0, 1])
    assert math.isnan(one.ci_low[0, 1])


def test_equal_arms_differ_by_nothing() -> None:
    found = compare(np.array([[0.1, 0.1, 0.1], [0.1, 0.1, 0.1]]))

    assert [field[0, 1] for field in found] == [3, 0, 0, 0, 1, 0, 2]


@pytest.mark.parametrize("n", [2, 5, 8])
def test_a_difference_that_does_not_vary_gets_the_exact_sign_test(n: int) -> None:
    a = np.linspace(0.2, 0.9, n)
    found = compare(np.stack([a + 0.1, a]))

    assert found.difference[0, 1] == pytest.approx(0.1)
    assert found.p[0, 1] == pytest.approx(stats.binomtest(n, n).pvalue)
    assert math.isnan(found.effect_size[0, 1])


def test_rounding_of_float32_is_no_spread() -> None:
    a = np.array([0.3, 0.1, 0.7], dtype=np.float32).astype(np.float64)
    b = (a.astype(np.float32) + np.float32(0.2)).astype(np.float64)

    assert compare(np.stack([b, a])).p[0, 1] == 0.25  # the sign test of three


def test_huge_values_give_numbers_or_nothing_and_no_warning() -> None:
    found = compare(np.array([[1e308, -1e308, 1e300], [-1e308, 1e308, 3.0]]))

    assert not np.isinf(found.p).any()


def test_holm_is_the_textbook_s() -> None:
    # Sorted 0.01, 0.03, 0.04 times 3, 2, 1 gives 0.03, 0.06, 0.04, and steps never go down.
    assert holm(np.array([0.04, 0.01, 0.03])).tolist() == pytest.approx([0.06, 0.03, 0.06])


def test_holm_is_statsmodels() -> None:
    p = np.array([0.2, 0.001, 0.04, 0.04, 0.013, 0.9, 0.0002])
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


def test_holm_leaves_out_what_was_not_asked_and_stops_at_one() -> None:
    found = holm(np.array([0.9, np.nan, 0.8]))

    assert found[[0, 2]].tolist() == [1.0, 1.0]
    assert math.isnan(found[1])
