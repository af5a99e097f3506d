"""The time that a run took, which the runs of a cohort share."""

from functools import partial

from core.analysis.outcomes import OutcomeEntry, outcomes
from core.results import Results, RunResult

_shared = partial(OutcomeEntry, describes=True, shared=True, of_diverged=True)


def _rate(run: RunResult, _results: Results) -> float | None:
    return run.steps_done / run.seconds if run.seconds else None


outcomes.add(
    _shared(
        name="steps_per_second",
        label="number of updates per second",
        direction="max",
        unit=" updates/s",
        counts=True,
        rank=60,
        explanation="Updates that a run made over its time by the clock. Runs of a cohort share the machine.",
        of_run=_rate,
    )
)
outcomes.add(
    _shared(
        name="seconds",
        label="training time",
        direction="min",
        unit=" s",
        rank=70,
        explanation="The time by the clock from a run's first update to its end. Runs of a cohort share the machine.",
        of_run=lambda run, _results: run.seconds,
    )
)
