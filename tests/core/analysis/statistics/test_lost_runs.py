"""Ranks in which lost runs are the worst, and the flips of their signs."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from core.analysis.statistics.decisions import DecisionRule, decide
from core.analysis.statistics.lost_runs import worst_rank_tests


def by_all_flips(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """The slow reference: every way to choose signs of the differences of pooled ranks, lost runs tied last."""
    ranks = stats.rankdata(np.nan_to_num(np.concatenate([a, b]), nan=-np.inf))
    d = ranks[: len(a)] - ranks[len(a) :]
    sums = [abs(np.dot(signs, d)) for signs in itertools.product((-1, 1), repeat=len(d))]
    return float(np.mean(np.array(sums) >= abs(d.sum()) - 1e-9))


@pytest.mark.parametrize("n", [6, 9, 13, 15])
def test_flips_are_counted_out_as_all_ways_to_choose_signs(n: int) -> None:
    rng = np.random.default_rng(n)
    scores = rng.normal([[0.0], [0.5]], 1.0, (2, n)).round(1)  # with ties
    scores[0, 1] = scores[0, 3] = scores[1, 2] = np.nan
    found = worst_rank_tests(scores, np.isnan(scores), [(0, 1)])
    assert found.p[0] == pytest.approx(by_all_flips(*scores), rel=1e-12)


def test_beyond_64_seeds_the_normal_law_is_near_what_is_counted() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal([[0.0], [0.3]], 1.0, (2, 65))
    scores[0, 0] = np.nan
    normal = worst_rank_tests(scores, np.isnan(scores), [(0, 1)]).p[0]
    counted = worst_rank_tests(scores[:, :64], np.isnan(scores[:, :64]), [(0, 1)]).p[0]
    assert normal == pytest.approx(counted, rel=0.5)
    assert 1e-4 < normal < 0.5


def test_s6_one_lost_run_does_not_veto_in_a_family_of_hundreds_of_pairs() -> None:
    """Forty arms: drawn flips end at 1e-4, and 780 such pairs never come below .05."""
    values = np.random.default_rng(6).normal(0, 1, (40, 20))
    values[0] += 10
    lost = np.zeros(values.shape, dtype=bool)
    values[0, 4], lost[0, 4] = np.nan, True
    assert decide(values, lost, DecisionRule(sign=1)).beats[0].sum() == 39
