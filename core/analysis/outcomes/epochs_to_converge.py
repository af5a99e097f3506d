"""The epochs until a run had come near its plateau, by a rule that the noise of single epochs does not move.

It is the settling time of control theory with its band of 5 %: a score that approaches a plateau as 1 - e^(-t / tau) is
there after tau ln 20, about 3 tau (Ogata 2010, "Modern Control Engineering", section 5-3). The plateau is the median of
the last quarter of the epochs, and the curve is smoothed by a running median of five (Tukey 1977). A run has no value
where its plateau is that of a model which learned nothing, where it still rises there, or where it had been better
before.
"""

import math

import numpy as np
from numpy.typing import NDArray

from core.analysis.outcomes import OutcomeEntry, outcomes
from core.datasets import DataError
from core.metrics import Metric
from core.results import Results, Series

Floats = NDArray[np.float64]
BAND = 0.05
"""The part of its rise by which a converged score may be away from its plateau."""
WINDOW = 5
"""The epochs that a point of the smoothed curve is the median of, fewer towards its ends."""
FEWEST_EPOCHS = 4


def _score(results: Results) -> str | None:
    return None if results.design.score is None else results.design.score.name


def _epochs(series: Series, results: Results) -> float | None:
    metric = results.design.metrics[series.metric]
    values = metric.sign * series.values
    if len(values) < FEWEST_EPOCHS or not np.isfinite(values).all():
        return None
    quarter = len(values) // 4
    plateau, before = (float(np.median(part)) for part in (values[-quarter:], values[-2 * quarter : -quarter]))
    untrained, margin = _untrained(metric, results, series.arm) or (float(values[0]), 0.0)
    rise = plateau - untrained
    smoothed = _smooth(values)
    if rise <= max(margin, metric.resolution or 0.0):
        return None
    if plateau - before > BAND / 2 * rise or smoothed.max() - plateau > BAND * rise:
        return None
    there = np.flatnonzero(smoothed >= plateau - BAND * rise)
    return float(there[0] + 1) if len(there) else None


def _smooth(values: Floats) -> Floats:
    """Return the median of each value and its neighbours, as many on both sides: a monotone curve stays as it is."""
    last = len(values) - 1
    halves = [min(WINDOW // 2, i, last - i) for i in range(len(values))]
    return np.array([np.median(values[i - half : i + half + 1]) for i, half in enumerate(halves)])


def _untrained(metric: Metric, results: Results, label: str) -> tuple[float, float] | None:
    """Return the score of always giving the same answer, and three standard errors of it; None where it is not known.

    Of classes that is the share of the most frequent one, of R² it is 0.
    """
    if not metric.share:
        return 0.0, 0.0
    training = results.design.arm(label).training
    if training is None:
        return None
    try:
        data = training.info()
    except DataError:
        return None
    chance = data.chance or 1 / max(2, data.outputs)
    return chance, 3 * math.sqrt(chance * (1 - chance) / data.valid)


outcomes.add(
    OutcomeEntry(
        name="epochs_to_converge",
        label="number of epochs to converge",
        direction="min",
        unit=" epochs",
        counts=True,
        rank=30,
        explanation="Epochs until the validation score, a running median of five, had come 95 % of the way from "
        "that of a constant answer to its plateau, the median of the last quarter.",
        never="finished without a plateau (they learned nothing, still improved, or had been better before)",
        applies=lambda results: _score(results) is not None,
        reads=_score,
        of_curve=_epochs,
    )
)
