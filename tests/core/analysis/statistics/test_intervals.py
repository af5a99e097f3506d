import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from core.analysis import summaries, summarize

A = np.array([0.971, 0.962, 0.978, 0.969, 0.973])
SKEWED = np.array([0.31, 0.35, 0.33, 0.42, 0.38, 0.36, 0.9, 0.34, 0.37, 0.55, 0.32, 0.4])
EXPERIMENTS = 4_000


def test_a_mean_and_its_interval_are_scipy_s() -> None:
    found = summarize(A)

    interval = stats.t.interval(0.95, len(A) - 1, loc=A.mean(), scale=stats.sem(A))
    assert found.n == 5
    assert found.mean == pytest.approx(A.mean(), rel=1e-14)
    assert found.sd == pytest.approx(A.std(ddof=1), rel=1e-12)
    assert (found.ci_low, found.ci_high) == pytest.approx(interval, rel=1e-12)


def test_values_that_are_missing_are_left_out() -> None:
    assert summarize(np.array([np.nan, *A, np.nan])) == summarize(A)


def test_one_value_has_no_spread_and_none_has_no_mean() -> None:
    one, none = summarize(np.array([0.5, np.nan])), summarize(np.array([np.nan]))

    assert (one.n, one.mean) == (1, 0.5)
    assert all(map(math.isnan, (one.sd, one.ci_low, one.ci_high)))
    assert (one.median, one.iqm, one.interval) == (0.5, 0.5, None)
    assert none.n == 0
    assert all(map(math.isnan, none[1:-1]))
    assert none.interval is None


def test_equal_values_have_no_spread_whatever_the_rounding() -> None:
    assert summarize(np.array([0.1, 0.1, 0.1])).sd == 0


def test_the_middle_half_is_what_is_left_without_a_quarter_at_each_end() -> None:
    found = summarize(np.array([8.0, 1, 7, 2, 6, 3, 5, 4]))
    assert (found.median, found.iqm) == (4.5, 4.5)
    five = summarize(np.array([100.0, 1, 2, 3, -50]))  # a quarter of five, rounded down, is one
    assert (five.median, five.iqm) == (2, 2)


def test_from_ten_runs_on_the_interval_is_scipy_s_bca_at_the_expanded_level() -> None:
    n = len(SKEWED)
    z = math.sqrt(n / (n - 1)) * stats.t.ppf(0.975, n - 1)
    level = 1 - 2 * stats.norm.sf(z)
    found = summarize(SKEWED)

    peer = stats.bootstrap(
        (SKEWED,), np.mean, confidence_level=level, method="BCa", n_resamples=100_000, rng=np.random.default_rng(3)
    ).confidence_interval
    assert found.interval == "bca"
    width = peer.high - peer.low
    assert found.ci_low == pytest.approx(peer.low, abs=0.02 * width)
    assert found.ci_high == pytest.approx(peer.high, abs=0.04 * width)
    assert found.ci_high - found.mean > 1.5 * (found.mean - found.ci_low)  # it follows the long tail


def test_nine_runs_have_students_interval() -> None:
    found = summarize(SKEWED[:9])
    assert found.interval == "t"
    assert found.ci_high - found.mean == pytest.approx(found.mean - found.ci_low)


def test_an_interval_depends_on_its_own_values_alone_and_never_changes() -> None:
    rows = np.full((3, 20), np.nan)
    rows[0, 3:15], rows[1, :5], rows[2, :12] = SKEWED, A, SKEWED[::-1]
    first, second, third = summaries(rows)

    assert first == third == summarize(SKEWED)
    assert second == summarize(A)


@pytest.mark.parametrize("n", [12, 40])
def test_equal_values_have_an_interval_without_width(n: int) -> None:
    found = summarize(np.full(n, 0.1))
    assert (found.sd, found.ci_low, found.ci_high) == (0, pytest.approx(0.1), pytest.approx(0.1))


def coverage(draws: NDArray[np.float64], truth: float) -> float:
    return float(np.mean([s.ci_low <= truth <= s.ci_high for s in summaries(draws)]))


@pytest.mark.parametrize("n", [3, 5, 10, 30])
def test_the_interval_covers_the_true_mean_in_95_of_100_experiments(n: int) -> None:
    draws = np.random.default_rng(20_261_121).normal(3.0, 0.7, (EXPERIMENTS, n))

    assert 0.93 <= coverage(draws, 3.0) <= 0.97


@pytest.mark.parametrize("n", [10, 30])
def test_of_accuracies_that_are_counted_it_covers_too(n: int) -> None:
    """The share right of 360 validation examples, each right with probability 0.97: discrete, and a little skewed."""
    draws = np.random.default_rng(11).binomial(360, 0.97, (EXPERIMENTS, n)) / 360

    assert 0.93 <= coverage(draws, 0.97) <= 0.97


def test_of_skewed_values_it_covers_more_often_than_students_would() -> None:
    draws = np.random.default_rng(12).lognormal(0.0, 1.0, (EXPERIMENTS, 30))
    truth = math.exp(0.5)
    half = stats.t.ppf(0.975, 29) * draws.std(axis=1, ddof=1) / math.sqrt(30)
    students = np.mean(np.abs(draws.mean(axis=1) - truth) <= half)

    assert coverage(draws, truth) > students + 0.01
