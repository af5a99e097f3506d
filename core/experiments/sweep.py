"""The sweeper finds what was lost: cohorts whose worker died, and bells that never reached one."""

import logging
import threading
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.exc import SQLAlchemyError

from core.experiments.holders import is_gone
from core.experiments.states import move_runs, settle
from core.queue import Bell
from core.store import Cohort, Database, StorageFull, now

log = logging.getLogger(__name__)

MOST_LOST = 3
"""A cohort that took this many workers with it is failed rather than tried again."""


class Swept(NamedTuple):
    """What one sweep found: cohorts queued again, cohorts ended, and how many wait for a worker."""

    rescued: int
    ended: int
    waiting: int


def sweep(database: Database, patience: float) -> Swept:
    """Queue lost cohorts again. A cohort waits when it has been queued for longer than `patience` seconds.

    A cohort is lost when its lease has run out, or at once when its holder lived on this host and is gone. Several
    sweepers may run: each change names the attempt that it ends, so that only one of them makes it.
    """
    with database.reading() as session:
        held = session.execute(
            select(Cohort.id, Cohort.attempt, Cohort.holder, (Cohort.lease_until < now()).label("expired")).where(
                Cohort.status == "running"
            )
        ).all()
        overdue = (Cohort.status == "queued") & (Cohort.queued_at < now() - patience)
        waiting = session.scalar(select(func.count()).where(overdue)) or 0
    rescued = ended = 0
    for row in held:
        if row.expired or is_gone(row.holder):
            outcome = give_up(database, row.id, row.attempt)
            rescued += outcome == "queued"
            ended += outcome in ("failed", "cancelled")
    return Swept(rescued, ended, waiting + rescued)


def give_up(database: Database, cohort_id: int, attempt: int) -> str | None:
    """End an attempt whose worker is lost; returns the cohort's new status, None when it is no longer that attempt."""
    with database.transaction() as session:
        cohort = session.scalar(
            update(Cohort)
            .where(Cohort.id == cohort_id, Cohort.attempt == attempt, Cohort.status == "running")
            .values(lost=Cohort.lost + 1, lease_until=None)
            .returning(Cohort)
        )
        if cohort is None:
            return None  # its worker, or another sweeper, was first
        error = None
        if cohort.cancel_requested:
            status = "cancelled"
        elif cohort.lost >= MOST_LOST:
            status = "failed"
            error = f"the worker was lost {cohort.lost} times while it trained this cohort (out of memory, or killed?)"
        else:
            status = "queued"
        session.execute(
            update(Cohort).where(Cohort.id == cohort_id).values(status=status, error=error, queued_at=now())
        )
        move_runs(session, cohort_id, status, error=error)
        settle(session, cohort.experiment_id)
    log.warning("cohort %d: attempt %d was lost; now %s", cohort_id, attempt, status)
    return status


class Sweeper:
    """Sweeps every `period` seconds from a thread of its own, and rings for whoever waits."""

    def __init__(self, database: Database, bell: Bell, period: float) -> None:
        self._database = database
        self._bell = bell
        self._period = period
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._closed.wait(self._period):
            try:
                swept = sweep(self._database, self._period)
            except (SQLAlchemyError, StorageFull) as error:
                log.warning("the sweep could not reach the database: %s", error)
                continue
            if swept.waiting:
                self._bell.ring(swept.waiting)
