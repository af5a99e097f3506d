"""The models of answers about studies, which clients rely on."""

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.schemas import Instant
from core.experiments.projects.studies import budget, judged_at
from core.store import Experiment, Study, StudyEntry


class StudySummary(BaseModel):
    """One study: of `alpha` its experiments were given `spent`, and `left` is for those to come, as more is found.

    `following` is the alpha by which the next experiment would be judged, were it posted now.
    """

    name: str
    project: str
    alpha: float
    created_at: Instant
    experiments: int
    kept: int
    undecided: int
    spent: float
    left: float
    following: float

    @classmethod
    def of(cls, one: Study, placed: Sequence[StudyEntry]) -> Self:
        return cls.model_validate(_numbers(one, placed))


class StudyVerdict(BaseModel):
    """An experiment of a study. `level` was given to it with its post, and its report is judged by `alpha`.

    `decision` is null until it has ended; `arm` is the one to keep, and `name` and `status` are null of an experiment
    that was deleted.
    """

    position: int
    experiment_id: int
    name: str | None
    status: str | None
    level: float
    alpha: float
    decision: Literal["keep", "discard", "inconclusive"] | None
    arm: str | None
    p: float | None
    decided_at: Instant | None


class StudyOut(StudySummary):
    """One study with the verdicts of its experiments, in the order of their posts."""

    verdicts: list[StudyVerdict]

    @classmethod
    def of(cls, session: Session, one: Study, placed: Sequence[StudyEntry]) -> Self:  # type: ignore[override]
        ids = [entry.experiment_id for entry in placed]
        there = (Experiment.id.in_(ids), Experiment.deleted_at.is_(None))
        rows = session.execute(select(Experiment.id, Experiment.name, Experiment.status).where(*there))
        known = {row.id: {"name": row.name, "status": row.status} for row in rows}
        own = ("position", "experiment_id", "level", "decision", "arm", "p", "decided_at")
        verdicts = [
            {name: getattr(entry, name) for name in own}
            | {"alpha": judged_at(one, entry.level)}
            | known.get(entry.experiment_id, {"name": None, "status": None})
            for entry in placed
        ]
        return cls.model_validate(_numbers(one, placed) | {"verdicts": verdicts})


class StudyList(BaseModel):
    """The studies that one sees, the newest first."""

    items: list[StudySummary] = Field(description="counts are of what was decided when a study was last looked at")


def _numbers(one: Study, placed: Sequence[StudyEntry]) -> dict[str, object]:
    return {
        "name": one.name,
        "project": one.project,
        "alpha": one.alpha,
        "created_at": one.created_at,
        "experiments": len(placed),
        "kept": sum(entry.decision == "keep" for entry in placed),
        "undecided": sum(entry.decision is None for entry in placed),
        **budget(one, placed)._asdict(),
    }
