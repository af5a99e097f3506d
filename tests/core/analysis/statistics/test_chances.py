import math
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from core.analysis.statistics.chances import rate, same_share, sign_flip, unseen_at_most

D = np.array([0.011, 0.004, -0.002, 0.013, 0.009, 0.001, 0.007, -0.004])


@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_the_sign_flips_are_scipy_s_permutation_test(n: int) -> None:
    all_of_them: Any = np.inf  # the stubs know whole numbers alone
    peer = stats.permutation_test((D[:n],), np.mean, permutation_type="samples", n_resamples=all_of_them)
    (p,) = sign_flip(D[None, :n])
    assert p == pytest.approx(peer.pvalue)


def test_five_pairs_that_agree_have_the_smallest_p_there_is() -> None:
    assert sign_flip(np.array([[0.1, 0.2, 0.3, 0.4, 0.5]]))[0] == 2 / 2**5


def test_missing_pairs_change_nothing() -> None:
    gaps = np.array([np.nan, *D[:4], np.nan, *D[4:]])
    assert sign_flip(gaps[None, :]) == pytest.approx(sign_flip(D[None, :]))


def test_a_row_of_one_pair_has_no_p_and_one_of_zeros_is_certain_of_nothing() -> None:
    found = sign_flip(np.array([[0.3, np.nan, np.nan], [0.0, 0.0, 0.0]]))
    assert math.isnan(found[0])
    assert found[1] == 1


def test_many_pairs_are_flipped_at_random_and_always_alike() -> None:
    d = np.random.default_rng(5).normal(0.5, 1.0, (3, 20))
    found = sign_flip(d)
    for row, p in zip(d, found, strict=True):
        peer = stats.permutation_test(
            (row,), np.mean, permutation_type="samples", n_resamples=50_000, rng=np.random.default_rng(1)
        )
        assert p == pytest.approx(peer.pvalue, abs=4 * math.sqrt(peer.pvalue / 9_999) + 1e-4)
    assert (sign_flip(d) == found).all()
    assert sign_flip(d[1:])[0] == found[1]


@pytest.mark.parametrize(("hits", "of"), [(0, 5), (5, 5), (3, 5), (10, 10), (17, 30)])
def test_a_share_has_wilson_s_interval(hits: int, of: int) -> None:
    found = rate(hits, of)
    assert found is not None
    assert (found["hits"], found["n"], found["rate"]) == (hits, of, hits / of)
    assert (found["ci_low"], found["ci_high"]) == pytest.approx(proportion_confint(hits, of, method="wilson"))


def test_no_runs_have_no_share() -> None:
    assert rate(0, 0) is None


def test_shares_are_compared_as_fisher_s_lady_was() -> None:
    assert same_share(3, 4, 1, 4) == pytest.approx(0.4857, abs=1e-4)  # Fisher 1935: 34 of 70
    assert same_share(5, 5, 0, 5) == pytest.approx(2 / 252)
    assert same_share(0, 5, 0, 5) == 1
    assert math.isnan(same_share(0, 0, 1, 5))


@pytest.mark.parametrize("n", [1, 3, 5, 30])
def test_s14_of_what_no_run_shows_there_may_be_as_much_as_clopper_and_pearson_say(n: int) -> None:
    assert unseen_at_most(n) == pytest.approx(stats.binomtest(0, n).proportion_ci(0.95, "exact").high)
    assert unseen_at_most(0) == 1


def test_s14_five_runs_may_hide_half() -> None:
    assert unseen_at_most(5) == pytest.approx(0.522, abs=5e-4)
