"""Peers of the verdict: each claims what its library's formula does, on numbers worked out elsewhere."""

import numpy as np
import pytest
from accepted import ERROR, Row
from claims import of_autorank, of_best_seed, of_rliable, of_unpaired_t, of_verdict, percentile_interval
from laws import correlated
from scipy import stats

X = np.random.default_rng(3).normal(0, 1, (40, 4, 8)) + np.array([[0.0], [0.0], [1.5], [2.0]])


def test_the_unpaired_t_is_scipy_s_of_every_pair() -> None:
    found = of_unpaired_t(X)
    for e, a, b in np.ndindex(5, 4, 4):
        one = stats.ttest_ind(X[e, a], X[e, b])
        assert found[e, a, b] == (a != b and one.pvalue < 0.05 and one.statistic > 0)


def test_the_interval_of_interquartile_means_is_the_percentile_bootstrap_of_trimmed_means() -> None:
    """Of eight values the middle four are meant. Bounds of 1,000 resamples differ by a few tenths of a spread."""
    low, high = percentile_interval(X[:3, :1])
    drawn = X[:3, 0][:, np.random.default_rng(1).integers(0, 8, (4_000, 8))]
    for e in range(3):
        peer = np.quantile(stats.trim_mean(drawn[e], 0.25, axis=1), (0.025, 0.975))
        assert (low[e, 0], high[e, 0]) == pytest.approx(tuple(peer), abs=0.3)
    apart = of_rliable(X)
    assert apart[:, 3, 0].mean() > 0.5
    assert not (apart & apart.transpose(0, 2, 1)).any()


def test_nemenyi_s_critical_difference_is_demsar_s() -> None:
    """q = 2.569 for four arms (Demšar 2006, table 5): 8 blocks: 2.569 sqrt(20 / 48) = 1.658."""
    ranks = stats.rankdata(X, axis=1).mean(axis=-1)
    for e, found in enumerate(of_autorank(X)):
        friedman = stats.friedmanchisquare(*X[e]).pvalue < 0.05
        assert (found == (friedman & (ranks[e][:, None] - ranks[e] > 1.658))).all()
    pair = of_autorank(X[:, [0, 3]])
    assert [bool(one) for one in pair[:, 1, 0]] == [
        bool(stats.wilcoxon(x[3], x[0]).pvalue < 0.05 and x[3].mean() > x[0].mean()) for x in X
    ]


def test_the_best_seed_always_beats_somebody_and_the_verdict_hardly_ever() -> None:
    equal = correlated((200, 3, 5), 0.5)
    assert of_best_seed(equal).any(axis=(1, 2)).all()
    assert of_verdict(equal).any(axis=(1, 2)).mean() < 0.1


def test_a_row_says_whether_it_is_accepted() -> None:
    row = Row(method="false wins", law="normal", runs=3, arms=2, per_cent=5.6, experiments=10_000, accepted=ERROR)
    assert row.held is False
    assert "NOT HELD" in str(row)
    assert row.told()["held"] is False
    assert Row(method="m", law="hard", runs=3, per_cent=41.0, experiments=1_000).held is None
