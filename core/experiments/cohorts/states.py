"""States and their transitions: a status changes by an UPDATE that names the one it expects; terminal ones are final.

Runs and cohorts move together; an experiment's status follows from its cohorts'. Nothing else writes a status: a
transition that is not in the table raises.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Update, select, update
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.experiments.cohorts.counts import unchanging
from core.experiments.cohorts.outbox import OF_STATE, enqueue
from core.store import Cohort, Experiment, Run, Status, now

TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset(
        {
            Status.RUNNING,  # claimed
            Status.SUCCEEDED,  # pruned at the rung where it waits
            Status.CANCELLED,  # the user asked
        }
    ),
    Status.RUNNING: frozenset(
        {
            Status.QUEUED,  # its worker left or was lost, or it waits at a rung
            Status.SUCCEEDED,
            Status.FAILED,
            Status.CANCELLED,
        }
    ),
    Status.SUCCEEDED: frozenset(),
    Status.FAILED: frozenset({Status.QUEUED}),  # the user asks for another try
    Status.CANCELLED: frozenset(),
}
"""The statuses that may follow on each, of cohorts and runs."""
OF_EXPERIMENT: Mapping[Status, frozenset[Status]] = {
    **TRANSITIONS,
    # tried again, it is running at once where other cohorts have ended
    Status.FAILED: TRANSITIONS[Status.FAILED] | {Status.RUNNING},
    # of one that is trained elsewhere more arms or seeds were declared
    Status.SUCCEEDED: frozenset({Status.RUNNING}),
}
ACTIVE = tuple(status for status in Status if Status.SUCCEEDED in TRANSITIONS[status])
TERMINAL = tuple(status for status in Status if status not in ACTIVE)
FINAL = tuple(status for status in Status if not TRANSITIONS[status])
"""Those that nothing changes any more, of experiments and of runs: what failed can be tried again."""

OF_STATUS = {"key_share": True}
"""The lock of an experiment's row that lets others refer to it: two that hold a reference could not both lock it."""


class IllegalTransition(Exception):
    """A status that may not follow on the one before: a mistake in this code."""

    def __init__(self, start: Status, to: Status) -> None:
        super().__init__(f"{start} may not become {to}")


def check_transition(start: str, to: Status, table: Mapping[Status, Collection[Status]] = TRANSITIONS) -> None:
    """Raise `IllegalTransition` unless `to` may follow on `start`."""
    if to not in table[Status(start)]:
        raise IllegalTransition(Status(start), to)


def transition(rows: type[Cohort] | type[Run], *, start: Status, to: Status) -> Update:
    """Return an UPDATE of those cohorts, or runs, that are `start`; the caller says which of them, and what else.

    Raises `IllegalTransition`.
    """
    check_transition(start, to)
    return update(rows).where(rows.status == start).values(status=to)


def set_status(row: Cohort, to: Status) -> None:
    """Give a cohort, whose row the caller has locked, its next status. Raises `IllegalTransition`."""
    check_transition(row.status, to)
    row.status = to


def move_runs(session: Session, cohort_id: int, *, start: Status, to: Status, **values: Any) -> None:
    """Give the runs of a cohort that are `start` their next status. Raises `IllegalTransition`."""
    finished = {"finished_at": now()} if to in TERMINAL else {}
    session.execute(
        transition(Run, start=start, to=to)
        .where(Run.cohort_id == cohort_id)
        .values(**finished, **values)
        .execution_options(synchronize_session=False)
    )


def has_active(session: Session, cohort_id: int) -> bool:
    """Return whether a run of the cohort has not ended."""
    active = select(Run.id).where(Run.cohort_id == cohort_id, Run.status.in_(ACTIVE)).limit(1)
    return session.scalar(active) is not None


def lock_cohorts(session: Session, experiment_id: int) -> None:
    """Lock an experiment's cohorts and read it again: meanwhile none is taken, given back, split or ended.

    A cohort that went from one state to another between two statements would escape both, and one that was cut off
    another meanwhile would escape all: hence again until there is none that is new. Always in the order of their ids,
    and before their experiment, as workers do: else two would each wait for what the other has locked. Raises
    `NotFound` where it was deleted meanwhile.
    """
    mine = select(Cohort.id).where(Cohort.experiment_id == experiment_id).order_by(Cohort.id).with_for_update()
    known = -1
    while (found := len(session.scalars(mine).all())) != known:
        known = found
    one = session.get(Experiment, experiment_id, populate_existing=True)
    if one is None or one.deleted_at is not None:
        raise NotFound(f"there is no experiment {experiment_id}")


def settle(session: Session, experiment_id: int, **values: Any) -> None:
    """Write the experiment's status as its cohorts' statuses have it, after any of them changed; `values` beside it.

    Cohorts that a look holds do not count, and until the look is taken the experiment is running; but for one of which
    every cohort failed: there is nothing to look at, and it waits for a retry. An open one is running.
    Raises `IllegalTransition`.
    """
    # The row lock lets two cohorts that end at once see each other; SQLite has one writer anyway.
    experiment = session.get_one(Experiment, experiment_id, with_for_update=OF_STATUS, populate_existing=True)
    held = (Cohort.status == Status.QUEUED) & Cohort.look.is_not(None)
    found = session.scalars(select(Cohort.status).where(Cohort.experiment_id == experiment_id, ~held).distinct())
    statuses = {Status(one) for one in found}
    status = summary(statuses) if statuses else Status.RUNNING
    if experiment.next_look is not None and status in TERMINAL and Status.SUCCEEDED in statuses:
        status = Status.RUNNING
    if experiment.spec.get("open") and (status in TERMINAL or not statuses):
        status = Status.RUNNING  # of what is still declared as it comes nobody knows the end
    changed = status != experiment.status
    if changed:
        check_transition(experiment.status, status, OF_EXPERIMENT)
    values["status"] = status
    if status == Status.RUNNING and experiment.started_at is None:
        values["started_at"] = now()
    values["progress"] = unchanging(session, experiment_id) if status in TERMINAL else None
    if status not in TERMINAL:
        values["finished_at"] = None
    elif experiment.finished_at is None:
        values["finished_at"] = now()
    session.execute(update(Experiment).where(Experiment.id == experiment_id).values(**values))
    if changed:
        enqueue(session, experiment_id, OF_STATE[status])


def summary(statuses: Collection[Status]) -> Status:
    """Return the status of the whole: running while any part is, or some are done and some wait; else the worst end."""
    ended = [status for status in statuses if status in TERMINAL]
    if len(ended) < len(statuses):
        return Status.RUNNING if Status.RUNNING in statuses or ended else Status.QUEUED
    return next(status for status in (Status.FAILED, Status.CANCELLED, Status.SUCCEEDED) if status in statuses)
