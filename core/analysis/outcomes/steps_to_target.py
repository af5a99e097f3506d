"""The updates that a run made until it came to the target."""

import numpy as np

from core.analysis.outcomes import OutcomeEntry, outcomes
from core.results import Results, Series


def _metric(results: Results) -> str | None:
    target = results.design.target
    return None if target is None or target.metric not in results.design.metrics else target.metric


def _steps(series: Series, results: Results) -> float | None:
    target = results.design.target
    if target is None:
        return None
    sign = results.design.metrics[series.metric].sign
    there = np.flatnonzero(sign * series.values >= sign * target.value)
    return (int(series.steps[there[0]]) + 1) * results.steps_in_epoch(series.arm) if len(there) else None


outcomes.add(
    OutcomeEntry(
        name="steps_to_target",
        label="number of updates to the target",
        direction="min",
        unit=" updates",
        counts=True,
        rank=20,
        explanation="Updates until the end of the first epoch whose target metric reached its value.",
        never="finished without having reached the target",
        applies=lambda results: results.design.target is not None,
        reads=_metric,
        of_curve=_steps,
        of_diverged=True,
        compared_of_diverged=True,
    )
)
