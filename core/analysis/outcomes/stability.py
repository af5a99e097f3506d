"""The jumps of the validation score from epoch to epoch."""

import numpy as np
from scipy.optimize import isotonic_regression

from core.analysis.outcomes import OutcomeEntry, outcomes
from core.metrics import ROUNDING
from core.results import Results, Series

FEWEST_EPOCHS = 3


def _jumps(series: Series, results: Results) -> float | None:
    values = results.design.metrics[series.metric].sign * series.values
    if len(values) < FEWEST_EPOCHS or not np.isfinite(values).all():
        return None
    rest = values - isotonic_regression(values).x
    found = float(np.sqrt(np.mean(np.diff(rest) ** 2)))
    return 0.0 if found <= ROUNDING * np.abs(values).max() else found  # of values that do not vary


outcomes.add(
    OutcomeEntry(
        name="stability",
        label="jump of the validation score between epochs",
        direction="min",
        describes=True,
        of_score=True,
        rank=50,
        explanation="The root mean square of the validation score's changes from epoch to epoch, in its own unit, "
        "after the trend was taken away, which is the monotone curve nearest to it (isotonic regression): 0 for a run "
        "that never goes back. It needs three epochs.",
        applies=lambda results: results.design.score is not None,
        reads=lambda results: None if results.design.score is None else results.design.score.name,
        of_curve=_jumps,
    )
)
