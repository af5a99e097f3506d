"""Curves and areas of scores in bins: ROC, precision by recall, and how far probabilities are from what comes true.

Examples in one bin count as tied. What that can do to an area is returned beside it: the exact area, of the scores
themselves, lies within.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.analysis.statistics.intervals import Floats
from core.classification import CONFIDENCE_UNIT, Counts

RATES: Floats = np.linspace(0.0, 1.0, 101) ** 2
"""Shares of false alarms at which ROC curves are compared: closer near 0, where good classifiers differ."""
RECALLS: Floats = np.linspace(0.01, 1.0, 100)
"""Recalls at which precisions are compared."""


class Area(NamedTuple):
    """An area from bins, and the least and the largest that the exact scores may have."""

    value: float
    low: float
    high: float


def roc(scores: Counts) -> Floats:
    """Return the share of the class that is found at each of `RATES`, (101,), of counts (2, bins) by class and score.

    Points between two thresholds are on the straight line between theirs, as flips of a coin would have them. NaN where
    all examples are of one class.
    """
    false, true = _above(scores)
    if not false[-1] or not true[-1]:
        return np.full(len(RATES), np.nan)
    false, true = np.append(0, false) / false[-1], np.append(0, true) / true[-1]
    highest = np.append(np.diff(false) > 0, True)  # where several thresholds have one rate, the last of them
    return np.asarray(np.interp(RATES, false[highest], true[highest]))


def auc(scores: Counts) -> Area:
    """Return the area under the ROC curve, (Hanley & McNeil 1982), of counts (2, bins); NaN where one class is all.

    A pair in one bin counts half: exactly it counts between 0 and 1.
    """
    others, of_class = scores
    pairs = float(others.sum()) * float(of_class.sum())
    if not pairs:
        return Area(np.nan, np.nan, np.nan)
    below = np.cumsum(others) - others
    tied = float((of_class * others).sum()) / pairs
    value = float((of_class * below).sum()) / pairs + tied / 2
    return Area(value, value - tied / 2, value + tied / 2)


def precision(scores: Counts) -> Floats:
    """Return the precision at each of `RECALLS`, (100,): that of the highest threshold that finds so many; or NaN."""
    false, true = _above(scores)
    if not true[-1]:
        return np.full(len(RECALLS), np.nan)
    at = np.searchsorted(true, np.ceil(RECALLS * true[-1] - 1e-9))
    return np.asarray(true[at] / (true[at] + false[at]))


def average_precision(scores: Counts) -> Area:
    """Return the mean of the precisions at each threshold, weighed by what it adds to recall; NaN without examples.

    It is scikit-learn's `average_precision_score`, with the examples of one bin evenly mixed: as one threshold for all
    of them it would be too low.
    """
    false, true = _above(scores)
    if not true[-1]:
        return Area(np.nan, np.nan, np.nan)
    gain = np.diff(true, prepend=0)
    there = gain > 0
    gain, after, with_all = gain[there], true[there], false[there]
    before, without = after - gain, with_all - np.diff(false, prepend=0)[there]
    middle = before + (gain + 1) / 2
    value = gain * middle / (middle + (without + with_all) / 2)
    low = gain * (before + 1) / (before + 1 + with_all)
    high = gain * after / (after + without)
    return Area(*(float(part.sum() / true[-1]) for part in (value, low, high)))


def calibration_error(confidence: Counts) -> float:
    """Return the expected calibration error of counts (bins, 3): Guo et al. 2017, arXiv:1706.04599, their eq. 3."""
    n, right, parts = confidence.astype(np.float64).T
    return float(np.abs(right - parts / CONFIDENCE_UNIT).sum() / n.sum()) if n.sum() else np.nan


def levels(confidence: Counts) -> tuple[Floats, Floats, Floats]:
    """Return by bin of counts (bins, 3) the mean confidence, the share that is right, and the share of all examples."""
    n, right, parts = confidence.astype(np.float64).T
    with np.errstate(all="ignore"):
        return parts / CONFIDENCE_UNIT / n, right / n, n / n.sum()


def _above(scores: Counts) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many examples of other classes and of the class lie above each threshold, from the highest down."""
    others, of_class = scores[:, ::-1].cumsum(axis=1)
    return others, of_class
