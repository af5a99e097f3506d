"""The part of a score that does not hold for other data."""

from core.analysis.outcomes import OutcomeEntry, outcomes
from core.finite import finite_or_none
from core.results import Results, RunResult


def _gap(run: RunResult, results: Results) -> float | None:
    train, valid = results.design.trains_score, results.design.score
    if train is None or valid is None:
        return None
    ends = [finite_or_none(run.final.get(metric.name)) for metric in (train, valid)]
    return None if ends[0] is None or ends[1] is None else ends[0] - ends[1]


outcomes.add(
    OutcomeEntry(
        name="generalization_gap",
        label="generalisation gap",
        direction="min",
        describes=True,
        of_score=True,
        rank=40,
        explanation="The last score on the training split less that on the validation split.",
        applies=lambda results: results.design.trains_score is not None,
        of_run=_gap,
    )
)
