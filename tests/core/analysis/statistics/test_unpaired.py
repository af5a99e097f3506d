"""Runs that are not paired, against scipy and exact counts."""

from math import comb

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from core.analysis.statistics.decisions import DecisionRule
from core.analysis.statistics.unpaired import decide_unpaired, welch

RNG = np.random.default_rng(11)
RULE = DecisionRule(sign=1)
NAN = np.nan


def none_lost(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.zeros(values.shape, bool)


def test_differences_are_those_of_scipy() -> None:
    values = RNG.normal([[0.0], [1.0], [0.3]], [[1.0], [3.0], [0.5]], (3, 9))
    values[1, 6:] = NAN
    t = welch(values)
    found = decide_unpaired(values, none_lost(values), RULE)
    for i, j in ((0, 1), (1, 2), (2, 0)):
        a, b = (values[k, np.isfinite(values[k])] for k in (i, j))
        peer = stats.ttest_ind(a, b, equal_var=False)
        low, high = peer.confidence_interval(0.95)
        assert t.df[i, j] == pytest.approx(peer.df, rel=1e-12)
        assert found.p[i, j] == pytest.approx(peer.pvalue, rel=1e-10)
        assert (found.found.ci_low[i, j], found.found.ci_high[i, j]) == pytest.approx((low, high), rel=1e-10)
        wide = peer.confidence_interval(1 - 0.05 / 3)
        assert (found.ci_low[i, j], found.ci_high[i, j]) == pytest.approx((wide.low, wide.high), rel=1e-10)


def test_equivalence_is_the_larger_of_two_one_sided_tests() -> None:
    values = RNG.normal([[0.0], [0.05]], 0.1, (2, 12))
    found = decide_unpaired(values, none_lost(values), DecisionRule(sign=1, margin=0.3))
    below = stats.ttest_ind(values[0], values[1] - 0.3, equal_var=False, alternative="greater").pvalue
    above = stats.ttest_ind(values[0], values[1] + 0.3, equal_var=False, alternative="less").pvalue
    assert found.p_equivalence[0, 1] == pytest.approx(max(below, above), rel=1e-10)
    assert found.decision[0, 1] == found.decision[1, 0] == "equivalent"


def test_a_clear_difference_is_a_win_and_three_runs_are_the_fewest() -> None:
    values = np.array([[0.90, 0.91, 0.92, 0.90], [0.80, 0.82, 0.81, NAN], [0.5, 0.4, NAN, NAN]])
    found = decide_unpaired(values, none_lost(values), RULE)
    assert found.decision[0].tolist() == ["", "better", "open"]
    assert found.decision[1, 0] == "worse"
    assert decide_unpaired(values, none_lost(values), DecisionRule(sign=-1)).decision[0, 1] == "worse"
    assert found.rank_low.tolist() == [1, 2, 1]
    assert found.rank_high.tolist() == [2, 3, 3]


def test_constant_arms_are_judged_by_the_ways_to_share_out_their_runs() -> None:
    values = np.array([[0.9] * 5, [0.1] * 5, [0.1] * 5])
    found = decide_unpaired(values, none_lost(values), DecisionRule(sign=1, baseline=1))
    assert found.p[0, 1] == pytest.approx(2 / comb(10, 5))
    assert found.decision[0, 1] == "better"
    assert found.p[1, 2] == 1.0


@pytest.mark.parametrize("runs", [5, 40])
def test_lost_runs_are_the_worst_ranks(runs: int) -> None:
    values = RNG.normal([[0.9], [0.95]], 0.02, (2, runs))
    lost = none_lost(values)
    lost[1, : runs // 2] = True
    values[lost] = NAN
    found = decide_unpaired(values, lost, RULE)
    ended = np.where(lost, -1e9, values)
    p = stats.mannwhitneyu(ended[0], ended[1], method="asymptotic").pvalue
    if runs == 5:
        ranks = stats.rankdata(ended)
        by_permutation = stats.permutation_test(
            (ranks[:5], ranks[5:]), lambda a, b: a.sum() - b.sum(), permutation_type="independent", n_resamples=10_000
        )
        p = by_permutation.pvalue
    assert found.test[0, 1] == "ranks"
    assert found.p[0, 1] == pytest.approx(p, rel=1e-9)
    kept = decide_unpaired(values, lost, DecisionRule(sign=1, ranks_lost=False))
    assert kept.decision[0, 1] == "open"


def test_equal_arms_of_unequal_spread_are_rarely_called_different() -> None:
    """Six runs of spread 1 against twelve of spread 3: 5 % of 4,000 experiments."""
    values = RNG.normal(0, [[[1.0]], [[3.0]]], (2, 4_000, 12))
    values[0, :, 6:] = NAN
    found = [welch(values[:, i]) for i in range(4_000)]
    away, df = (
        np.array(x)
        for x in zip(*((one.difference[0, 1] / one.error[0, 1], one.df[0, 1]) for one in found), strict=True)
    )
    assert 0.04 < np.mean(2 * stats.t.sf(abs(away), df) < 0.05) < 0.06
