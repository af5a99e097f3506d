"""Removes an experiment: at once where that is quick, else it is gone for everybody and its rows go in small steps."""

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.experiments.projects import forget
from core.store import Experiment, MetricBlock, Run, announce, now

MOST_RUNS, MOST_BLOCKS, MOST_POINTS = 500, 2_000, 1_000_000
"""Of an experiment that is removed in one transaction, which on SQLite keeps every other writer out."""


def remove(session: Session, experiment_id: int) -> None:
    """Remove an experiment that has ended, whose cohorts the caller has locked."""
    mine = Experiment.id == experiment_id
    one = session.get_one(Experiment, experiment_id)
    forget(session, one)
    if _is_small(session, experiment_id):
        session.delete(one)
    else:
        gone = {"deleted_at": now(), "idempotency_key": None}  # the key may be used for another one
        session.execute(update(Experiment).where(mine).values(gone))
    announce(session, experiment_id)


def _is_small(session: Session, experiment_id: int) -> bool:
    runs = select(Run.id).where(Run.experiment_id == experiment_id).limit(MOST_RUNS + 1)
    if session.scalars(select(func.count()).select_from(runs.subquery())).one() > MOST_RUNS:
        return False
    blocks = select(MetricBlock.n).where(MetricBlock.run_id.in_(runs)).limit(MOST_BLOCKS + 1).subquery()
    number, points = session.execute(select(func.count(), func.sum(blocks.c.n))).one()
    return number <= MOST_BLOCKS and (points or 0) <= MOST_POINTS
