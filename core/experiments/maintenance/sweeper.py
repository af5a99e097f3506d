"""The sweeper recovers what was lost: cohorts of dead workers, wake-up tasks that reached none, files nobody needs."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidSpec, NotFound
from core.experiments.cohorts.attempt_logs import AttemptLogs
from core.experiments.cohorts.eligibility import EXTERNAL, may_be_taken, queues_of
from core.experiments.cohorts.external import lose
from core.experiments.cohorts.looks import look, looks_due
from core.experiments.cohorts.process_ids import describe, is_dead, this_process
from core.experiments.cohorts.pruning import decide, waiting_for_a_decision
from core.experiments.cohorts.recovery import recover_attempt
from core.experiments.cohorts.states import TERMINAL
from core.experiments.cohorts.unreadable import Unreadable, leave_to_others
from core.experiments.maintenance.cleanup import clean_up
from core.experiments.maintenance.merging import BlockMerger, count_ended
from core.experiments.maintenance.retention import clear_removed, remove_expired
from core.files import FilesUnavailable
from core.queue import Dispatcher
from core.settings import Settings
from core.store import Cohort, Database, Status, StorageFull, now
from core.store.space import give_back

log = logging.getLogger(__name__)

GRACE = 2.0
"""Seconds that workers have, after a database was away, to say that they still hold what they hold."""
TIDYING = 0.2
"""Seconds of each sweep for each of the works on what has ended: merged, removed, and its space given back."""
CLEANUP_PERIOD = 600.0
"""Seconds between two clean-ups."""


class Swept(NamedTuple):
    """The result of one sweep: cohorts queued again, cohorts ended, and the wake-up tasks to send, by queue."""

    rescued: int
    ended: int
    waiting: dict[str, int]


def sweep(
    database: Database, min_queued_seconds: float, logs_folder: Path | None = None, *, skip_expired: bool = False
) -> Swept:
    """Queue lost cohorts again. A cohort waits once it has been queued for over `min_queued_seconds`.

    A cohort is lost when its lease has run out, or at once when its holder lived on this host and is gone. With
    `skip_expired` those whose lease has run out are left. `logs_folder` has the logs of attempts. Several sweepers may
    run: each change names the attempt that it ends, so that only one of them makes it.
    """
    logs = logs_folder and AttemptLogs(logs_folder)
    with database.reading() as session:
        held = session.execute(
            select(
                Cohort.experiment_id,
                Cohort.id,
                Cohort.attempt,
                Cohort.holder,
                Cohort.device,
                (Cohort.lease_until < now()).label("expired"),
            ).where(Cohort.status == Status.RUNNING)
        ).all()
    rescued = ended = 0
    for row in held:
        if row.device == EXTERNAL:
            if row.expired and not skip_expired:
                with database.transaction() as session:
                    ended += lose(session, row.id)
            continue
        dead = is_dead(row.holder)
        if dead or (row.expired and not skip_expired):
            why = f"its worker ({describe(row.holder)}) {'is gone: killed, or crashed' if dead else 'fell silent'}"
            last_lines = logs.last_lines(row.id, row.attempt) if logs else ()
            with database.transaction() as session:
                status = recover_attempt(session, row.id, row.attempt, why, last_lines)
            if status is not None:
                if logs:  # and not before: another sweeper may be the one that records them
                    logs.remove(row.id, row.attempt)
                about = {"experiment": row.experiment_id, "cohort": row.id, "attempt": row.attempt}
                log.warning("lost: %s; now %s", why, status, extra=about)
            rescued += status == Status.QUEUED
            ended += status in TERMINAL
    with database.reading() as session:
        at_rung, due = waiting_for_a_decision(session), looks_due(session)
    all_there = [*at_rung, *due]
    for experiment in at_rung:  # the last worker was killed before it could decide, or its end was found here
        _compare(database, experiment, decide)
    for experiment in due:
        _compare(database, experiment, look)
    with database.reading() as session:
        just_now = Cohort.id.in_([row.id for row in held]) | Cohort.experiment_id.in_(all_there)
        long_enough = (Cohort.queued_at < now() - min_queued_seconds) | just_now
        kinds = (Cohort.device, Cohort.queue)  # counted there: it may be tens of thousands that wait
        counted = select(*kinds, func.count()).where(may_be_taken() & long_enough).group_by(*kinds)
        waiting = session.execute(counted).all()
        by_queue: Counter[str] = Counter()
        for device, queue, number in waiting:
            by_queue.update(dict.fromkeys(queues_of(device, queue), number))
    return Swept(rescued=rescued, ended=ended, waiting=by_queue)


def _compare(database: Database, experiment: int, compare: Callable[[Session, int], bool]) -> None:
    try:
        with suppress(NotFound), database.transaction() as session:
            compare(session, experiment)
    except (InvalidSpec, Conflict) as error:  # of other code, or of a plug-in that is not here: others can
        leave_to_others(database, Unreadable(experiment, str(error)), this_process())


class Sweeper:
    """Sweeps every `sweep_seconds` from a thread of its own, and sends wake-up tasks for cohorts that wait."""

    def __init__(self, database: Database, dispatcher: Dispatcher, settings: Settings) -> None:
        self.sweeps = 0
        self.failures = 0
        self._database = database
        self._dispatcher = dispatcher
        self._settings = settings
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        skip_expired_until = clean_up_at = 0.0
        merger = BlockMerger(self._database)
        while not self._closed.wait(self._settings.sweep_seconds):
            try:
                skip_expired = time.monotonic() < skip_expired_until
                swept = sweep(
                    self._database, self._settings.sweep_seconds, self._settings.logs_folder, skip_expired=skip_expired
                )
                self._tidy(merger)
                if time.monotonic() > clean_up_at:
                    clean_up_at = time.monotonic() + CLEANUP_PERIOD
                    self._clean_up()
            except (SQLAlchemyError, StorageFull) as error:
                self.failures += 1
                # Nobody could renew a lease meanwhile: that it ran out says nothing of its holder.
                skip_expired_until = time.monotonic() + GRACE
                log.warning("the sweep could not reach the database: %s", error)
                continue
            except Exception:  # the edge: a sweeper that ended of it would never be missed
                self.failures += 1
                log.exception("the sweep failed; the next one follows")
                continue
            self.sweeps += 1
            for queue, times in swept.waiting.items():
                self._dispatcher.notify(queue, times)

    def _clean_up(self) -> None:
        try:
            clean_up(self._database, self._settings)
        except (FilesUnavailable, OSError) as error:
            log.warning("files that nobody needs stay until the next time: %s", error)

    def _tidy(self, merger: BlockMerger) -> None:
        """Do a little of what can wait, in transactions of milliseconds: others want to write too."""
        merger.merge(TIDYING)
        count_ended(self._database)
        remove_expired(self._database, self._settings.keep_days)
        clear_removed(self._database, TIDYING)
        give_back(self._database.engine, TIDYING)
