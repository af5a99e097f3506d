"""Recovers a cohort whose attempt was lost: it is tried again, as two halves, or no more."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.experiments.cohorts.claims import Claim
from core.experiments.cohorts.events import increment, record_event
from core.experiments.cohorts.leases import Fenced
from core.experiments.cohorts.splitting import split
from core.experiments.cohorts.states import has_active, move_runs, set_status, settle
from core.store import Cohort, Run, Status, now

MOST_LOST = 3
"""Attempts without progress after which a run is failed rather than tried again."""
LOST_TOGETHER = 2
"""Attempts without progress after which the runs of a cohort are split: one of them may be what ends the process, or
all together need more memory than there is, and the kernel gives no reason."""


def mark_lost(session: Session, held: Claim, why: str) -> Status:
    """Recover from one's own attempt. Raises `Fenced`."""
    status = recover_attempt(session, held.cohort_id, held.attempt, why)
    if status is None:
        raise Fenced(held)
    return status


def recover_attempt(
    session: Session, cohort_id: int, attempt: int, why: str, last_lines: Sequence[str] = ()
) -> Status | None:
    """End an attempt; returns the cohort's new status, None when it is no longer that attempt.

    It goes on from its checkpoint. After `LOST_TOGETHER` attempts without progress it is split, after
    `MOST_LOST` a run alone is failed, with the reason and the last lines of its log.
    """
    cohort = session.scalar(
        update(Cohort)
        .where(Cohort.id == cohort_id, Cohort.attempt == attempt, Cohort.status == Status.RUNNING)
        .values(lost=Cohort.lost + 1, lease_until=None, holder=None, queued_at=now())
        .returning(Cohort)
    )
    if cohort is None:
        return None  # its worker, or another sweeper, was first
    status, error, into = Status.QUEUED, None, dict[Status, int]()
    if cohort.cancel_requested:
        status = Status.CANCELLED
    elif not has_active(session, cohort_id):
        status = Status.SUCCEEDED  # all was measured and stored but for this status
    elif cohort.lost >= LOST_TOGETHER:
        into = split(session, cohort)
        if not into and cohort.lost >= MOST_LOST:
            status, error = Status.FAILED, _error(session, cohort, why, last_lines)
    set_status(cohort, status)
    cohort.error = error
    session.flush()
    move_runs(session, cohort_id, start=Status.RUNNING, to=status, error=error)
    settle(session, cohort.experiment_id)
    record = partial(record_event, session, cohort.experiment_id, cohort=cohort_id, attempt=attempt, why=why)
    record("lost", step=cohort.checkpoint_step, log=list(last_lines))
    increment(session, "rescues")
    if into:
        record("halved", into=into)
        increment(session, "halvings")
    if status != Status.QUEUED:
        record("ended", status=status)
    return status


def _error(session: Session, cohort: Cohort, why: str, last_lines: Sequence[str]) -> str:
    total = session.scalar(select(func.max(Run.steps_total)).where(Run.cohort_id == cohort.id))
    text = f"{cohort.lost} attempts without progress, after update {cohort.checkpoint_step} of {total}: {why}"
    return "\n  ".join([text, *last_lines])
