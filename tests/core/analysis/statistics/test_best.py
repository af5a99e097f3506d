"""The chance of being the best, beside Student's t and where runs were lost."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from core.analysis.statistics.best import chance_of_best
from core.analysis.statistics.intervals import summaries
from core.analysis.statistics.judgement import Judgement, judge
from core.analysis.statistics.splits import resampled_errors
from core.metrics import metrics

A = np.array([0.5, 0.6, 0.55, 0.7, 0.52, 0.61])
NONE_LOST = np.zeros((2, 6), dtype=bool)


def survived(rows: list[list[float]]) -> NDArray[np.float64]:
    """The chances where NaN is a lost run."""
    values = np.array(rows)
    return chance_of_best(values, np.isnan(values), 1)


def test_an_arm_that_is_better_by_the_same_in_every_pair_is_always_the_best() -> None:
    assert chance_of_best(np.stack([A, A + 0.01]), NONE_LOST, 1).tolist() == [0, 1]
    assert chance_of_best(np.stack([A, A + 0.01]), NONE_LOST, -1).tolist() == [1, 0]


def test_equal_arms_share() -> None:
    assert chance_of_best(np.stack([A, A]), NONE_LOST, 1).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("n", [3, 5, 10, 200])
def test_of_two_arms_it_is_one_side_of_the_paired_t_test(n: int) -> None:
    rng = np.random.default_rng(n)
    shared = rng.normal(0, 5, n)
    a, b = shared + rng.normal(0, 1, n), shared + rng.normal(0.5, 1, n)
    found = chance_of_best(np.stack([a, b]), np.zeros((2, n), dtype=bool), 1)
    assert found.sum() == pytest.approx(1)
    assert found[0] == pytest.approx(stats.ttest_rel(a, b, alternative="less").pvalue, abs=0.025)


@pytest.mark.parametrize("n", [3, 10])
def test_s12_two_equal_arms_are_told_apart_in_one_experiment_of_ten(n: int) -> None:
    """The bootstrap over three seeds was above .95 in 31 %. Three standard errors of 1,000 experiments are 2.9 %."""
    draws = np.random.default_rng(12).normal(0, 1, (1_000, 2, n))
    none = np.zeros((2, n), dtype=bool)
    sure = np.mean([chance_of_best(x, none, 1).max() > 0.95 for x in draws])
    assert 0.071 < sure < 0.129


def test_s5_survivors_never_lead() -> None:
    """Three of five survive, and are better than the mean of five that all do: worse in every pair of seeds."""
    chance = survived([[0.985, 0.98, 0.99, np.nan, np.nan], [0.987, 0.982, 0.991, 0.91, 0.90]])
    assert chance[0] < 0.05


def test_one_lost_run_of_twenty_does_not_hide_ten_standard_deviations() -> None:
    rng = np.random.default_rng(6)
    good, poor = rng.normal(10, 1, 20), rng.normal(0, 1, 20)
    good[7] = np.nan
    assert survived([good.tolist(), poor.tolist()])[0] > 0.99


def test_runs_that_have_not_ended_are_not_lost() -> None:
    values = np.stack([A + 0.1, A + np.random.default_rng(0).normal(0, 0.01, 6)])
    values[0, 3:] = np.nan
    assert chance_of_best(values, NONE_LOST, 1)[0] > 0.9
    assert survived(values.tolist())[0] < 0.6


def test_an_arm_of_one_value_has_no_chance_to_tell() -> None:
    found = chance_of_best(np.array([[0.5, np.nan], [0.4, 0.3]]), np.zeros((2, 2), dtype=bool), 1)
    assert math.isnan(found[0])
    assert found[1] == 1
    assert np.isnan(chance_of_best(np.array([[0.5, np.nan]]), np.zeros((1, 2), dtype=bool), 1)).all()


def judged(values: NDArray[np.float64], lost: NDArray[np.bool_]) -> Judgement:
    return judge(values, lost, summaries(values), metrics["valid_accuracy"], None)


def test_s5_survivors_that_beat_nobody_are_no_more_often_the_best() -> None:
    """Three of five survive, with the three best values: ranks alone would have them lead in 69 %."""
    values = np.array([[0.985, 0.98, 0.99, np.nan, np.nan], [0.95, 0.96, 0.955, 0.951, 0.957]])
    lost = np.isnan(values)
    found = judged(values, lost)
    assert found.order == [1, 0]
    chance = chance_of_best(values, lost, 1, judged=found)
    assert chance[0] < 0.5 < chance[1]
    assert chance_of_best(values, lost, 1)[0] > 0.6, "which this test is about"


def test_s1_seeds_that_one_arm_has_alone_make_nobody_the_best() -> None:
    """Two runs of the first failed, and the second was bad on just these seeds: where both ended, it is better."""
    values = np.array([[0.985, 0.98, 0.99, np.nan, np.nan], [0.987, 0.982, 0.991, 0.91, 0.90]])
    none = np.zeros((2, 5), dtype=bool)
    chance = chance_of_best(values, none, 1, judged=judged(values, none))
    one_sided = stats.ttest_rel(values[0, :3], values[1, :3], alternative="less").pvalue
    assert chance[0] == pytest.approx(one_sided, abs=0.01)


def test_with_errors_that_know_of_splits_it_is_one_side_of_the_corrected_t() -> None:
    rng = np.random.default_rng(5)
    values = rng.normal([[0.0], [0.6]], 1.0, (2, 8))
    errors = resampled_errors(values, np.full(2, 0.25))
    d = values[1] - values[0]
    t = d.mean() / (d.std(ddof=1) * math.sqrt(1 / 8 + 0.25))
    chance = chance_of_best(values, np.zeros((2, 8), dtype=bool), 1, errors=errors)
    assert chance[0] == pytest.approx(stats.t.sf(t, 7), abs=0.03)
    assert chance[0] > chance_of_best(values, np.zeros((2, 8), dtype=bool), 1)[0] + 0.05


def test_of_equal_arms_on_splits_of_one_data_set_few_are_told_apart() -> None:
    """What the splits share moves all seeds alike: without the errors one experiment in three is above .95."""
    rng, sure = np.random.default_rng(7), []
    for _ in range(500):
        values = rng.normal(0, 1, (2, 10)) + rng.normal(0, math.sqrt(0.25), (2, 1))
        errors = resampled_errors(values, np.full(2, 0.25))
        sure.append(chance_of_best(values, np.zeros((2, 10), dtype=bool), 1, errors=errors).max() > 0.95)
    assert np.mean(sure) < 0.14
