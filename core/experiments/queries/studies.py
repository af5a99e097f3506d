"""Decides the experiments of a study that have ended: keep, discard or inconclusive."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.analysis import compare_arms, study_ruling
from core.datasets import DatasetPaths
from core.experiments.projects.studies import Ruling
from core.experiments.queries import read
from core.store import Experiment, Status, StudyEntry

DECIDED_WHEN = (Status.SUCCEEDED, Status.CANCELLED)
"""Statuses in which an experiment is decided: one that failed may be run again, and is decided then."""


def rulings(session: Session, project: str, name: str, paths: DatasetPaths) -> Sequence[Ruling]:
    """Return the decisions of a study's experiments that have ended and are not decided yet, each at its own level.

    One that was deleted before anybody looked is inconclusive. Series are not read: the outcome that decides is the
    last value of a metric.
    """
    mine = (StudyEntry.project == project, StudyEntry.study == name, StudyEntry.decision.is_(None))
    ids = session.scalars(select(StudyEntry.experiment_id).where(*mine).order_by(StudyEntry.position)).all()
    found = []
    for one in ids:
        experiment = session.get(Experiment, one)
        if experiment is None or experiment.deleted_at is not None:
            found.append(Ruling(one, "inconclusive", None, None))
        elif experiment.status in DECIDED_WHEN:
            results = replace(read.results(session, experiment, paths), series=lambda _metric: ())
            found.append(Ruling(one, *study_ruling(compare_arms(results))))
    return found
