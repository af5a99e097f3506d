"""The epochs until a run stayed near its best."""

import numpy as np

from core.analysis.outcomes import OutcomeEntry, outcomes
from core.results import Results, Series

PART = 0.01
"""The part of its best value that a run stays within once converged, of a metric without a resolution of its own."""


def _score(results: Results) -> str | None:
    return None if results.design.score is None else results.design.score.name


def _epochs(series: Series, results: Results) -> float | None:
    metric = results.design.metrics[series.metric]
    values = metric.sign * series.values
    if not np.isfinite(values).any():
        return None
    best = float(np.nanmax(np.where(np.isfinite(values), values, np.nan)))
    near = PART * abs(best) if metric.resolution is None else metric.resolution
    outside = np.flatnonzero(~(values >= best - near))
    first = int(outside[-1]) + 1 if len(outside) else 0
    return float(first + 1) if first < len(values) else None


outcomes.add(
    OutcomeEntry(
        name="epochs_to_converge",
        label="number of epochs to converge",
        direction="min",
        unit=" epochs",
        counts=True,
        rank=30,
        explanation="Epochs until the validation score was within 0.01 of its best and stayed so to the end.",
        never="finished away from their best",
        applies=lambda results: _score(results) is not None,
        reads=_score,
        of_curve=_epochs,
    )
)
