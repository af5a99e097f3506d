"""Components of variance against theory, an independent reference, and simulated runs of known components."""

import numpy as np
import pytest
import statsmodels.formula.api as smf
from pandas import DataFrame
from scipy import stats

from core.analysis.statistics.components import component, interplay, variance_of
from core.analysis.statistics.intervals import Floats

FIRST = np.array([0.91, 0.93, 0.90, 0.95, 0.92, 0.94])
SECOND = np.array([0.92, 0.92, 0.91, 0.93, 0.93, 0.96])


def test_the_variance_has_the_interval_of_chi_squared() -> None:
    found = variance_of(FIRST)
    assert found is not None
    assert found.value == pytest.approx(FIRST.var(ddof=1))
    law = stats.chi2(5)
    assert (found.low, found.high) == pytest.approx([5 * found.value / law.ppf(p) for p in (0.975, 0.025)])
    assert variance_of(FIRST[:1]) is None


def test_the_share_is_what_an_analysis_of_variance_of_the_pairs_leaves() -> None:
    """Against statsmodels' table of squares, and the exact limits of an intraclass correlation as Shrout & Fleiss
    write them, for k = 2."""
    pairs = DataFrame({"y": np.concatenate([FIRST, SECOND]), "pair": [*range(6)] * 2})
    fit = smf.ols("y ~ C(pair)", pairs).fit()
    within = fit.mse_resid
    between = fit.ess / fit.df_model
    found = component(FIRST, SECOND)
    assert found is not None
    assert found.share is not None
    assert found.variance.value == pytest.approx(within)
    assert found.share.value == pytest.approx(1 - (between - within) / (between + within))
    ratio = between / within
    lower, upper = ratio / stats.f.ppf(0.975, 5, 6), ratio * stats.f.ppf(0.975, 6, 5)
    limits = [1 - (one - 1) / (one + 1) for one in (upper, lower)]
    assert (found.share.low, found.share.high) == pytest.approx([limits[0], min(1.0, limits[1])])
    law = stats.chi2(6)
    assert found.variance.low == pytest.approx(6 * within / law.ppf(0.975))
    assert found.variance.high == pytest.approx(6 * within / law.ppf(0.025))


def test_extremes_have_an_answer_or_say_that_there_is_none() -> None:
    assert component(FIRST[:0], SECOND[:0]) is None
    one = component(FIRST[:1], SECOND[:1])
    assert one is not None
    assert one.share is None
    assert one.variance.value == pytest.approx(5e-5)
    nothing = component(FIRST, FIRST)
    assert nothing is not None
    assert nothing.share == (0.0, 0.0, 0.0)
    flat = component(np.full(4, 0.5), np.full(4, 0.5))
    assert flat is not None
    assert flat.share is None
    opposed = component(FIRST, 2 * FIRST.mean() - FIRST)
    assert opposed is not None
    assert opposed.share is not None
    assert opposed.share.value == pytest.approx(2.0), "an estimate of what is shared that is below 0 is told as it is"
    assert opposed.share.high == 1.0
    assert opposed.share.low == pytest.approx(2 / (1 + 1 / stats.f.ppf(0.025, 5, 6))), "not as sure as it would look"


def _drawn(rng: np.random.Generator, shape: tuple[int, int], parts: tuple[float, float, float]) -> list[Floats]:
    """Draw (experiments, n) of first trainings, of those with another a, and with another b: parts of a, b, a x b."""
    a, other_a, b, other_b = rng.normal(size=(4, *shape))
    joint = rng.normal(size=(3, *shape))
    of_a, of_b, of_both = np.sqrt(parts)
    return [
        of_a * mine + of_b * its + of_both * third
        for mine, its, third in zip((a, other_a, a), (b, b, other_b), joint, strict=True)
    ]


@pytest.mark.parametrize("parts", [(0.61, 0.39, 0.0), (0.2, 0.2, 0.6), (0.0, 1.0, 0.0)])
def test_known_components_are_found_on_average_and_held_by_their_intervals(parts: tuple[float, float, float]) -> None:
    own, with_a, with_b = _drawn(np.random.default_rng(3), (2_000, 6), parts)
    truth = parts[0] + parts[2]
    found = [component(*pair) for pair in zip(own, with_a, strict=True)]
    assert np.mean([one.variance.value for one in found if one]) == pytest.approx(truth, abs=0.03)
    if truth:
        held = [one.share.low <= truth <= one.share.high for one in found if one and one.share]
        assert 0.94 < np.mean(held) < 0.985, "above 95 % where the cut at 100 % leaves one side without errors"
    joint = [interplay(np.array(ds)) for ds in zip(own - with_a, own - with_b, strict=True)]
    assert np.mean([one.value for one in joint if one]) == pytest.approx(parts[2], abs=0.05)
    if not parts[2]:
        assert np.mean([one.low > 0 for one in joint if one]) < 0.03


def test_interplay_needs_two_sources_and_three_runs() -> None:
    assert interplay(np.ones((1, 5))) is None
    assert interplay(np.ones((2, 2))) is None
    by_hand = interplay(np.array([[1.0, 2.0, 0.0], [3.0, -1.0, 4.0], [0.0, 1.0, 2.0]]))
    assert by_hand is not None
    assert by_hand.value == pytest.approx(np.mean([3.0, -2.0 + 2.0 - 1.0, 8.0]))
