"""Curves and areas from bins against scikit-learn's from the scores themselves."""

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from core.analysis.statistics import scores
from core.analysis.statistics.scores import RATES, RECALLS
from core.classification import SCORE_BINS
from tests.core.training.lanes.test_class_summaries import summarized

MOST_OFF = {"auc": 0.0005, "average_precision": 0.002}
"""What an area of a thousand bins may be off by, of classes that overlap as little or as much as here."""


def drawn(apart: float, scale: float, n: int = 4_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, scores, and the counts that are kept of them: one in five is of the class."""
    random = np.random.default_rng(7)
    y = random.random(n) < 0.2
    x = scale * (random.normal(size=n) + apart * y)
    outputs = torch.from_numpy(np.stack([np.zeros(n), x], axis=1))[None]
    (found,) = summarized("multiclass", outputs, torch.from_numpy(y).long(), chunk=n)
    assert found is not None
    return y, x, found.scores[1]


@pytest.mark.parametrize("scale", [0.01, 1.0, 10.0, 300.0])
@pytest.mark.parametrize("apart", [0.0, 1.0, 3.0, 12.0])
def test_areas_are_those_of_the_scores_within_their_bounds(apart: float, scale: float) -> None:
    y, x, counts = drawn(apart, scale)
    exact = {"auc": roc_auc_score(y, x), "average_precision": average_precision_score(y, x)}
    for name, value in exact.items():
        found = getattr(scores, name)(counts)
        assert found.low - 1e-12 <= value <= found.high + 1e-12
        assert abs(found.value - value) < MOST_OFF[name]
        assert found.high - found.low < 0.1


def test_curves_are_those_of_the_scores() -> None:
    y, x, counts = drawn(1.5, 1.0)
    false, true, _ = roc_curve(y, x)
    last = np.append(np.diff(false) > 0, True)
    np.testing.assert_allclose(scores.roc(counts), np.interp(RATES, false[last], true[last]), atol=0.01)
    precisions, recalls, _ = precision_recall_curve(y, x)
    exact = [precisions[recalls >= one - 1e-12][-1] for one in RECALLS]
    apart = np.abs(scores.precision(counts) - exact)[5:]
    assert apart.max() < 0.05
    assert apart.mean() < 0.01


def test_a_perfect_a_useless_and_an_inverted_classifier() -> None:
    perfect, tied = np.zeros((2, 2, SCORE_BINS), dtype=np.int64)
    perfect[:, [100, 900]] = [[30, 0], [0, 10]]
    tied[:, 500] = [3000, 1000]
    assert scores.auc(perfect) == (1.0, 1.0, 1.0)
    assert (scores.roc(perfect) == 1).all()
    assert (scores.precision(perfect) == 1).all()
    assert scores.average_precision(perfect).value == 1.0
    assert scores.auc(tied) == (0.5, 0.0, 1.0)
    assert scores.average_precision(tied).value == pytest.approx(0.25, abs=1e-3)
    np.testing.assert_allclose(scores.roc(tied), RATES)
    assert (scores.precision(tied) == 0.25).all()
    assert scores.auc(perfect[:, ::-1]).value == 0.0


def test_of_one_class_there_is_no_curve() -> None:
    counts = np.zeros((2, SCORE_BINS), dtype=np.int64)
    counts[0, 3] = 5
    assert np.isnan(scores.roc(counts)).all()
    assert np.isnan(scores.precision(counts)).all()
    assert np.isnan([*scores.auc(counts), *scores.average_precision(counts)]).all()


def test_the_calibration_error_is_the_mean_distance_from_what_comes_true() -> None:
    unit = 1 << 20
    counts = np.array([[0, 0, 0], [10, 5, 7 * unit], [30, 27, 27 * unit]])
    assert scores.calibration_error(counts) == pytest.approx(2 / 40)
    confidence, right, share = scores.levels(counts)
    np.testing.assert_allclose([confidence[1:], right[1:], share[1:]], [[0.7, 0.9], [0.5, 0.9], [0.25, 0.75]])
    assert np.isnan([confidence[0], right[0]]).all()
    assert np.isnan(scores.calibration_error(counts * 0))
