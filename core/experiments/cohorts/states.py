"""States and their transitions. A status changes by an UPDATE that names the one it expects; terminal ones are final.

queued -> running (claimed) -> succeeded | failed | cancelled; running -> queued (the worker left or was lost);
queued -> cancelled; failed -> queued, when the user asks for another try. Runs and cohorts move together; an
experiment's status follows from its cohorts'.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.store import Cohort, Experiment, Run, now

ACTIVE = ("queued", "running")
TERMINAL = ("succeeded", "failed", "cancelled")
OF_STATUS = {"key_share": True}
"""The lock of an experiment's row that lets others refer to it: two that hold a reference could not both lock it."""


def move_runs(session: Session, cohort_id: int, status: str, **values: Any) -> None:
    """Give the cohort's runs that have not ended a new status."""
    finished = {"finished_at": now()} if status in TERMINAL else {}
    session.execute(
        update(Run)
        .where(Run.cohort_id == cohort_id, Run.status.in_(ACTIVE))
        .values(status=status, **finished, **values)
        .execution_options(synchronize_session=False)
    )


def has_active(session: Session, cohort_id: int) -> bool:
    """Whether a run of the cohort has not ended."""
    active = select(Run.id).where(Run.cohort_id == cohort_id, Run.status.in_(ACTIVE)).limit(1)
    return session.scalar(active) is not None


def lock_cohorts(session: Session, experiment_id: int) -> None:
    """Lock an experiment's cohorts and look at it again: meanwhile none is taken, given back, halved or ended.

    A cohort that went from one state to another between two statements would escape both, and one that was cut off
    another meanwhile would escape all: hence again until there is none that is new. Always in the order of their ids,
    and before their experiment, as workers do: else two would each wait for what the other has locked. Raises
    `NotFound` where it was deleted meanwhile.
    """
    mine = select(Cohort.id).where(Cohort.experiment_id == experiment_id).order_by(Cohort.id).with_for_update()
    known = -1
    while (found := len(session.scalars(mine).all())) != known:
        known = found
    if session.get(Experiment, experiment_id, populate_existing=True) is None:
        raise NotFound(f"there is no experiment {experiment_id}")


def settle(session: Session, experiment_id: int, **values: Any) -> None:
    """Write the experiment's status as its cohorts' statuses have it, after any of them changed; `values` beside it."""
    # The row lock lets two cohorts that end at once see each other; SQLite has one writer anyway.
    experiment = session.get_one(Experiment, experiment_id, with_for_update=OF_STATUS, populate_existing=True)
    statuses = set(session.scalars(select(Cohort.status).where(Cohort.experiment_id == experiment_id)))
    status = summary(statuses)
    values["status"] = status
    if status == "running" and experiment.started_at is None:
        values["started_at"] = now()
    if status not in TERMINAL:
        values["finished_at"] = None
    elif experiment.finished_at is None:
        values["finished_at"] = now()
    session.execute(update(Experiment).where(Experiment.id == experiment_id).values(**values))


def summary(statuses: Collection[str]) -> str:
    """The status of the whole: running while any part runs or some are done and some wait; else the worst end."""
    ended = [status for status in statuses if status in TERMINAL]
    if len(ended) < len(statuses):
        return "running" if "running" in statuses or ended else "queued"
    return next(status for status in ("failed", "cancelled", "succeeded") if status in statuses)
