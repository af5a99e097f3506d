"""Which pairs are decided, on the inputs that misled; and how often equal arms are called different."""

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from core.analysis.statistics.decisions import DecisionRule, Decisions, decide
from core.metrics import DECLARED_ROUNDING

NAN = np.nan


def decided(values: Any, lost: Any = None, **rule: Any) -> Decisions:
    """The decisions about accuracies (arms, seeds), where "lost" tells the runs that will never have one."""
    values = np.asarray(values, dtype=np.float64)
    gone = np.zeros(values.shape, bool) if lost is None else np.asarray(lost, bool)
    return decide(values, gone, DecisionRule(**{"sign": 1} | rule))


def places(found: Decisions) -> list[tuple[int, int]]:
    return list(zip(found.rank_low.tolist(), found.rank_high.tolist(), strict=True))


def test_no_place_contradicts_a_win_where_runs_are_missing() -> None:
    """S1: a has the better mean of what it finished, b beats it on the seeds that both did."""
    found = decided([[0.985, 0.98, 0.99, NAN, NAN], [0.987, 0.982, 0.991, 0.91, 0.90]])

    assert found.decision[1, 0] == "better"
    assert found.decision[0, 1] == "worse"
    assert places(found) == [(2, 2), (1, 1)]


def test_arms_that_an_open_one_links_keep_the_win_between_them() -> None:
    """S2: a beats b, and neither can be told apart from a noisy arm."""
    a, noisy = [0.9, 0.92, 0.91, 0.93, 0.89], [0.98, 0.86, 0.95, 0.80, 0.99]
    found = decided([a, noisy, [0.88, 0.9005, 0.8905, 0.911, 0.8702]])

    assert found.decision.tolist() == [["", "open", "better"], ["open", "", "open"], ["worse", "open", ""]]
    assert places(found) == [(1, 2), (1, 3), (2, 3)]


@pytest.mark.parametrize(("n", "least"), [(6, 0.68), (10, 0.93), (20, 0.98)])
def test_one_lost_run_does_not_veto(n: int, least: float) -> None:
    """S6: an arm that is better by 10 sd and loses 5 % of its runs wins, and oftener with more seeds."""
    rng = np.random.default_rng(6)
    won = 0
    for _ in range(300):
        gone = np.vstack([rng.random(n) < 0.05, np.zeros(n, bool)])
        values = np.where(gone, NAN, rng.normal([[10.0], [0.0]], 1.0, (2, n)))
        won += decided(values, gone).decision[0, 1] == "better"

    assert won / 300 >= least


def test_constant_arms_have_a_rule_of_their_own() -> None:
    """S7: with a spread of 2e-6 instead of none, t would have p 5e-23."""
    found = decided([[0.0724] * 5, [0.90] * 5])

    assert found.test[0, 1] == "constants"
    assert found.p[0, 1] == pytest.approx(2 / 4**5)
    assert found.decision[1, 0] == "better"
    assert decided([[0.0724 + 2e-6, *[0.0724] * 4], [0.90] * 5]).decision[1, 0] == "better"


@pytest.mark.parametrize(("atoms", "n"), [(2, 3), (3, 3), (5, 3), (2, 5), (4, 5)])
def test_two_arms_of_one_law_rarely_come_to_two_constants(atoms: int, n: int) -> None:
    """Over laws on a few values the chance of two different constants never passes 2·4^(-n)."""
    rng = np.random.default_rng(atoms)
    laws = np.vstack([rng.dirichlet(np.full(atoms, a), 4_000) for a in (0.3, 1.0, 30.0)])
    laws = np.vstack([laws, np.eye(atoms)[0] / 2 + np.eye(atoms)[1] / 2])
    chance = (laws**n).sum(axis=1) ** 2 - (laws ** (2 * n)).sum(axis=1)

    assert chance.max() <= 2 * 4.0**-n + 1e-15
    assert chance[-1] == pytest.approx(2 * 4.0**-n)


def test_two_pairs_decide_nothing() -> None:
    """S9."""
    found = decided([[0.9, 0.91], [0.8, 0.8101]])

    assert found.found.p[0, 1] < 0.001
    assert found.decision[0, 1] == "open"
    assert np.isnan([found.p[0, 1], found.p_adjusted[0, 1], found.ci_low[0, 1]]).all()


def test_no_interval_excludes_0_beside_a_decision_that_is_open() -> None:
    """S10: the interval alone would exclude 0 in half of the experiments with seven equal arms."""
    rng = np.random.default_rng(10)
    alone = 0
    for _ in range(200):
        found = decided(rng.normal(0.9, 0.01, (7, 5)))
        excludes = (found.ci_low > 0) | (found.ci_high < 0)
        assert not excludes[found.decision == "open"].any()
        alone += bool(((found.found.ci_low > 0) | (found.found.ci_high < 0)).any())

    assert alone > 80


def test_the_intervals_hold_together() -> None:
    """Bonferroni's t of the standard tables: 6 questions of 4 arms at n = 5, t(4, 1 - .025/6) = 4.851."""
    values = np.random.default_rng(3).normal(0, 1, (4, 5))
    found = decided(values)
    d = values[0] - values[1]
    half = stats.t.ppf(1 - 0.025 / 6, 4) * stats.sem(d)

    assert (found.ci_low[0, 1], found.ci_high[0, 1]) == pytest.approx((d.mean() - half, d.mean() + half))
    single = stats.t.interval(0.95, 4, d.mean(), stats.sem(d))
    assert (found.found.ci_low[0, 1], found.found.ci_high[0, 1]) == pytest.approx(single)
    at_a_look = decided(values, alpha=0.0194, family=10)
    half = stats.t.ppf(1 - 0.0194 / 20, 4) * stats.sem(d)
    assert at_a_look.ci_high[0, 1] == pytest.approx(d.mean() + half)


def test_the_family_is_corrected_for_questions_without_an_answer_yet() -> None:
    values = np.random.default_rng(4).normal([[0.0], [0.1], [4.0]], 1, (3, 6))
    p = {pair: stats.ttest_rel(*values[list(pair)]).pvalue for pair in itertools.combinations(range(3), 2)}
    found = decided(values, family=10)

    smallest = min(p, key=p.__getitem__)
    assert found.p_adjusted[smallest] == pytest.approx(10 * p[smallest])


def test_within_the_margin_arms_are_equivalent() -> None:
    a = np.array([0.970, 0.972, 0.968, 0.971, 0.969])
    b = a + np.array([0.001, -0.001, 0.0005, 0.0, 0.0002])
    d = a - b
    found = decided([a, b, a - 0.1 + np.array([0, 0.001, 0.002, 0, 0])], margin=0.005)

    above = stats.ttest_1samp(d, -0.005, alternative="greater").pvalue
    below = stats.ttest_1samp(d, 0.005, alternative="less").pvalue
    assert found.p_equivalence[0, 1] == pytest.approx(3 * max(above, below))
    assert found.decision.tolist()[0] == ["", "equivalent", "better"]
    assert decided([a, b]).decision[0, 1] == "open"


def test_arms_that_differ_by_the_same_in_every_pair_are_judged_by_signs() -> None:
    """Were the margin reached in the median, n pairs would all stay within it with a chance of 2^-n."""
    alike = decided([[0.9, 0.8, 0.7, 0.9, 0.6]] * 2, margin=0.01)
    assert alike.p_equivalence[0, 1] == pytest.approx(2**-5)
    assert alike.decision[0, 1] == "equivalent"
    assert decided([[0.9, 0.8, 0.7, 0.9]] * 2, margin=0.01).decision[0, 1] == "open"
    assert decided([[0.9] * 5, [0.85] * 5], margin=0.01).p_equivalence[0, 1] == 1


def test_a_sure_difference_within_the_margin_is_one_that_does_not_matter() -> None:
    a = np.array([0.970, 0.972, 0.968, 0.971, 0.969])
    found = decided([a, a - 0.002 + np.array([1, -1, 0, 1, -1]) * 1e-4], margin=0.01)

    assert found.p_adjusted[0, 1] < 0.001
    assert found.decision[0, 1] == "equivalent"
    assert places(found) == [(1, 2), (1, 2)]


def test_arms_at_the_margin_are_called_equivalent_in_at_most_6_of_100_experiments() -> None:
    rng = np.random.default_rng(5)
    called = sum(
        decided(rng.normal([[1.0], [0.0]], 0.5, (2, 5)), margin=1.0).decision[0, 1] == "equivalent"
        for _ in range(1_000)
    )

    assert called <= 65


def test_losing_every_run_is_worse_than_any_value() -> None:
    five, gone = [0.1, 0.2, 0.15, 0.12, 0.11], [[False] * 5, [True] * 5]
    found = decided([five, [NAN] * 5], gone)

    assert found.test[0, 1] == "ranks"
    assert found.p[0, 1] == pytest.approx(2 / 4**5)
    assert found.decision[0, 1] == "better"
    assert decided([five, [NAN] * 5], gone, ranks_lost=False).decision[0, 1] == "open"


@pytest.mark.parametrize("n", [3, 4, 5, 6, 9])
def test_losing_all_against_none_has_the_least_p_and_no_larger_chance(n: int) -> None:
    """Over chances q of losing a run, all of one arm and none of the other is at its likeliest at a half."""
    q = np.linspace(0, 1, 1_001)
    one, other = [[True] * n, [False] * n], [[True] * n, [True, *[False] * (n - 1)]]
    least = decided(np.where(one, NAN, 0.5), one).p[0, 1]

    assert least == pytest.approx((2 * q**n * (1 - q) ** n).max())
    assert least < decided(np.where(other, NAN, 0.5), other).p[0, 1]


def test_ranks_with_ties_are_those_of_the_rank_sum_test() -> None:
    a, b = np.array([3.0, 4.0, 4.0, 5.0, NAN]), np.array([2.0, 2.0, 3.0, NAN, NAN])
    found = decided([a, b], np.isnan([a, b]))

    ranks = stats.rankdata(np.nan_to_num(np.concatenate([a, b]), nan=-9.0))
    sums = np.array([sum(five) for five in itertools.combinations(ranks, 5)])
    assert found.p[0, 1] == pytest.approx(np.mean(np.abs(sums - 27.5) >= abs(ranks[:5].sum() - 27.5) - 1e-9))


def test_from_six_seeds_on_signs_are_flipped_within_seeds() -> None:
    a = np.array([0.90, 0.91, 0.92, 0.93, 0.94, 0.95, NAN])
    b = np.array([0.80, NAN, 0.81, 0.94, 0.82, 0.83, 0.80])
    found = decided([a, b], np.isnan([a, b]))

    ranks = stats.rankdata(np.nan_to_num(np.concatenate([a, b]), nan=-1.0))
    d = ranks[:7] - ranks[7:]
    sums = [abs(np.dot(signs, d)) for signs in itertools.product((1, -1), repeat=7)]
    assert found.p[0, 1] == pytest.approx(np.mean(np.array(sums) >= abs(d.sum()) - 1e-9))


def equal_arms(rng: np.random.Generator, n: int, correlation: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Two arms of which a fifth of the runs is lost, seeds alike in both by the correlation."""
    shared = rng.normal(0, 1, n)
    values = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * rng.normal(0, 1, (2, n))
    gone = rng.random((2, n)) < 0.2
    return np.where(gone, NAN, values), gone


@pytest.mark.parametrize(("n", "correlation"), [(4, 0.0), (5, 0.0), (5, 0.8), (6, 0.0), (8, 0.8)])
def test_equal_arms_that_lose_runs_alike_are_called_different_in_at_most_6_of_100(n: int, correlation: float) -> None:
    rng = np.random.default_rng(11)
    called = sum(decided(*equal_arms(rng, n, correlation)).decision[0, 1] != "open" for _ in range(500))

    assert called <= 36


def test_places_hold_the_true_order_of_arms() -> None:
    """Of 500 staircases of five arms, 95 % at least have every true place within its bounds, and wins in order."""
    rng = np.random.default_rng(12)
    true = np.arange(5)
    held = 0
    for _ in range(500):
        found = decided(-0.8 * true[:, None] + rng.normal(0, 1, (5, 6)))
        held += bool(((found.rank_low <= true + 1) & (true + 1 <= found.rank_high)).all())
        assert (found.rank_low[:, None] <= found.rank_high)[found.beats].all()

    assert held >= 0.945 * 500


def test_places_against_a_baseline_are_of_its_comparisons_alone() -> None:
    found = decided(np.array([[0.5], [0.6], [0.9]]) + np.random.default_rng(1).normal(0, 0.001, (3, 5)), baseline=1)

    assert found.decision.tolist() == [["", "worse", "open"], ["better", "", "worse"], ["open", "better", ""]]
    assert places(found) == [(2, 3), (2, 2), (1, 2)]


def test_an_arm_without_a_finished_run_has_no_place() -> None:
    found = decided([[0.9] * 3, [NAN] * 3])

    assert places(found) == [(1, 1), (0, 0)]


@pytest.mark.parametrize(("n", "alpha"), [(55, 1e-17), (100, 1e-19), (1000, 1e-30)])
def test_the_strictest_levels_call_nothing_equivalent_that_is_not(n: int, alpha: float) -> None:
    """The level of an early look, over many pairs: 1 - alpha / 2 is 1, and has no quantile."""
    d = np.random.default_rng(3).normal(0.004, 0.03, n)
    found = decided(np.stack([0.5 + d, np.full(n, 0.5)]), alpha=alpha, margin=0.005)
    error = d.std(ddof=1) / np.sqrt(n)
    assert found.p_equivalence[0, 1] == pytest.approx(stats.t.sf((0.005 - abs(d.mean())) / error, n - 1), rel=1e-6)
    assert found.decision[0, 1] == "open"
    assert np.isfinite([found.ci_low[0, 1], found.found.ci_high[0, 1]]).all()
    assert found.ci_low[0, 1] < d.mean() - 8 * error < d.mean() + 8 * error < found.ci_high[0, 1]


def test_what_others_declare_is_taken_in_float64() -> None:
    """In float32 half a unit of 5,000,001 is rounding: differences of two would be none."""
    rng = np.random.default_rng(4)
    a, b = 5_000_001 + rng.normal(0, 0.1, 6), 5_000_003 + rng.normal(0, 0.1, 6)
    assert decided([a, b]).decision[0, 1] == "open"
    found = decided([a, b], sign=-1, rounding=DECLARED_ROUNDING)
    assert found.decision[0, 1] == "better"
    assert found.p[0, 1] == pytest.approx(stats.ttest_rel(a, b).pvalue, rel=1e-9)
