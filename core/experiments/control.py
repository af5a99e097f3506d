"""What a user does to an experiment that is there: cancel it, delete it."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.errors import Conflict
from core.experiments.states import TERMINAL, move_runs, settle
from core.store import Cohort, Experiment


def cancel(session: Session, experiment: Experiment) -> None:
    """Stop an experiment and keep what was measured. Cancelling again, or one that has ended, changes nothing.

    Queued cohorts end at once. A running one is told; its worker ends it, or the sweeper where the worker is dead.
    """
    mine = Cohort.experiment_id == experiment.id
    session.execute(update(Cohort).where(mine, Cohort.status == "running").values(cancel_requested=True))
    queued = session.scalars(
        update(Cohort).where(mine, Cohort.status == "queued").values(status="cancelled").returning(Cohort.id)
    ).all()
    for cohort_id in queued:
        move_runs(session, cohort_id, "cancelled")
    if queued:
        settle(session, experiment.id)
    session.refresh(experiment)


def delete(session: Session, experiment: Experiment) -> None:
    """Remove a finished experiment with all its measurements; raises `Conflict` while it is queued or running."""
    status = session.scalar(select(Experiment.status).where(Experiment.id == experiment.id).with_for_update())
    if status not in TERMINAL:
        raise Conflict(f"experiment {experiment.id} is {status}: cancel it first")
    session.delete(experiment)
