"""Records an attempt: a thread that stores what the trainer measures, renews the lease and polls for requests.

The trainer never waits for it. All of a worker's writes go through here, each in one transaction that begins by
renewing the lease, so that a worker whose cohort was given to another can write nothing.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.exc import SQLAlchemyError

from core.classification import ClassSummary
from core.energy import EnergyAccount
from core.experiments.cohorts.checkpoints import CheckpointRef, CheckpointStore
from core.experiments.cohorts.claims import Claim
from core.experiments.cohorts.events import Count, increment
from core.experiments.cohorts.leases import Fenced, Flush, StopRequest, fall_back
from core.experiments.cohorts.weights import WeightsRef
from core.experiments.worker.checkpoint_writer import CheckpointWriter
from core.experiments.worker.endings import Written, write_ending
from core.experiments.worker.lease_renewer import LeaseRenewer
from core.experiments.worker.metric_writer import MetricWriter
from core.experiments.worker.watchdog import Flag, Reason, Watchdog
from core.failpoints import reached
from core.results import Outcome
from core.store import Database, Status, StorageFull
from core.training import Checkpoint

log = logging.getLogger(__name__)

TICK = 0.2
"""Seconds between two polls for what the user asks: the delay of a cancellation."""
SHARE, SLOWEST = 5, 2.0
"""A database that is slow, as many share it, is used for one part in so many of the time, with pauses up to so long."""
ASLEEP = 1.0
"""Seconds of a tick that only a process which did not run at all can take."""
LEAVING = 3.0
"""Seconds that a process which is to leave waits for a database that does not answer."""


def pause_after(seconds: float) -> float:
    """Return the seconds to wait after a call of the database that took so many."""
    return min(max(TICK, (SHARE - 1) * seconds), SLOWEST)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A claim, and what its training process lends it."""

    database: Database
    held: Claim
    store: CheckpointStore
    lease_seconds: float
    draining: Flag
    """Set when the process is to leave at once."""
    on_hang: Callable[["AttemptRecorder", str], object]
    """Called from the recorder's thread, with a text, when the training does not stop: to end the process."""
    watchdog: Watchdog = field(default_factory=lambda: Watchdog(60.0))
    account: EnergyAccount | None = None
    asked_to_leave: Flag = field(default_factory=threading.Event)
    """Set when it is to leave as soon as it can."""


class AttemptRecorder:
    """A `Recorder` whose points end in the database. `reason` says why the trainer should stop; None: it should not."""

    def __init__(self, attempt: Attempt) -> None:
        self.reason: Reason | None = None
        self._since = self._next = 0.0
        self._attempt = attempt
        self._held, self._database, self._watchdog = attempt.held, attempt.database, attempt.watchdog
        account = attempt.account or EnergyAccount(before=attempt.held.cost, runs=attempt.held.training)
        self._metrics = MetricWriter(attempt.held, account)
        self._lease = LeaseRenewer(attempt.database, attempt.held, attempt.lease_seconds)
        self._checkpoints = CheckpointWriter(attempt.store, attempt.held.resume_from, self._take_checkpoint)
        self._retries = 0
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def resume_from(self) -> CheckpointRef | None:
        """The checkpoint that training goes on from."""
        return self._checkpoints.resume_from

    def stopped(self) -> bool:
        """Return whether the trainer should stop; it asks before every update."""
        self._watchdog.beat()
        reached("update")
        return self.reason is not None

    def record(self, run: int, metric: str, first: int, values: NDArray[Any]) -> None:
        self._metrics.record(run, metric, first, values)

    def judge(self, run: int, correct: NDArray[np.bool_]) -> None:
        self._metrics.judge(run, correct)

    def keep(self, run: int, weights: Mapping[str, WeightsRef]) -> None:
        """Take the files of the weights of a run that ends: they count as soon as a transaction has said so."""
        self._watchdog.beat()
        self._metrics.keep(run, weights)

    def classify(self, run: int, summary: ClassSummary) -> None:
        self._metrics.classify(run, summary)

    def finish(self, run: int, outcome: Outcome) -> None:
        self._metrics.finish(run, outcome)

    def advance(self, step: int) -> None:
        self._metrics.advance(step)
        self._wake.set()

    def fall_back(self, why: str) -> None:
        """Forget a checkpoint that cannot be used, for the one before it or none. Raises `Fenced`."""
        log.warning("the checkpoint cannot be used: %s", why)
        with self._database.transaction() as session:
            checkpoint, last = fall_back(session, self._held, why)
        self._checkpoints.resume_from = checkpoint
        self._metrics.restart(checkpoint, last)

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint to its file, aside; its cohort goes on from it as soon as a transaction has said so."""
        self._checkpoints.save(checkpoint)

    def save_last(self, checkpoint: Checkpoint) -> None:
        """Write the checkpoint of a trainer that has stopped, and wait for the file: the process is about to leave."""
        self._watchdog.end()
        self._checkpoints.save_last(checkpoint)

    def close(self, ending: Written) -> Status:
        """Store what is left and the ending in one transaction; returns the cohort's status. Raises `Fenced`.

        Waits for a database that is away, as long as the process may: what was measured is here and nowhere else.
        Raises the database's error where the process has to leave first.
        """
        self._watchdog.end()
        self._checkpoints.join()  # the lease is renewed meanwhile: a file store that is away takes its time to say so
        self.abandon()
        rest, leaving_since = self._metrics.take_all(), None
        self._metrics.price(rest)
        while True:
            try:
                status = self._write_end(rest, ending)
                break
            except (SQLAlchemyError, StorageFull) as error:
                self._retries += 1
                if self._attempt.draining.is_set():
                    leaving_since = leaving_since or time.monotonic()
                    if time.monotonic() - leaving_since > LEAVING:
                        raise
                log.warning("the end cannot be written yet: %s", error)
                time.sleep(TICK)
        reached("end.committed")
        self._checkpoints.ended(status, rest.checkpoint)
        return status

    def abandon(self) -> None:
        """Stop, and write nothing more to the database."""
        self._closing.set()
        self._wake.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def increment(self, what: Count) -> None:
        """Add to a counter, where the database answers: of a worker that another has fenced off too."""
        with suppress(SQLAlchemyError, StorageFull), self._database.transaction() as session:
            increment(session, what)

    def _write_end(self, rest: Flush, ending: Written) -> Status:
        with self._lease.transaction() as (session, _):
            self._metrics.store(session, rest, self.resume_from)
            increment(session, "flush_retries", self._retries)
            status = write_ending(session, self._held, ending)
            reached("end.fenced")
        return status

    def _take_checkpoint(self, checkpoint: CheckpointRef | None) -> None:
        if checkpoint is None:
            self.increment("checkpoint_failures")
            return
        self._metrics.add(checkpoint)
        self._wake.set()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._rest()
            if self._attempt.draining.is_set():
                self._stop("drain")
            elif self._attempt.asked_to_leave.is_set():
                self._stop("asked")
            waited = self._watchdog.stuck(self.reason, self._since)
            if waited is not None:
                asked = self.reason or "and nobody had asked to stop"
                self._attempt.on_hang(self, f"no update for {waited:.0f} s, {asked}")
                return
            if self.reason not in ("fenced", "silent") and time.monotonic() >= self._next:
                self._tick()

    def _rest(self) -> None:
        began = time.monotonic()
        self._wake.wait(TICK)
        self._wake.clear()
        if (slept := time.monotonic() - began) > ASLEEP:
            self._watchdog.forgive(slept)
            self._since += slept

    def _stop(self, reason: Reason) -> None:
        """Have the trainer stop; a reason that forbids to write outweighs the others."""
        if self.reason is None or (reason in ("fenced", "silent") and self.reason != reason):
            self.reason, self._since = reason, time.monotonic()

    def _tick(self) -> None:
        began, self._next = time.monotonic(), 0.0
        try:
            request = self._flush_or_poll()
        except Fenced as fenced:
            log.warning("%s was given to another worker; nothing more is written", fenced)
            self._stop("fenced")
        except (SQLAlchemyError, StorageFull) as error:
            self._retries += 1
            log.warning("the database cannot be written; %d blocks wait: %s", self._metrics.waiting, error)
            if self._lease.is_expiring:
                self._stop("silent")  # others may claim soon: stop before they do
        else:
            ended = time.monotonic()
            if (pause := pause_after(ended - began)) > TICK:
                self._next = ended + pause
            if request is not None:
                self._stop(request)

    def _flush_or_poll(self) -> StopRequest | None:
        """Return what the user asks for: by a transaction where there is something to store, or the lease has aged."""
        taken = self._metrics.take()
        if taken.is_empty and not self._lease.is_due:
            return self._lease.poll()
        self._metrics.price(taken)
        try:
            with self._lease.transaction() as (session, request):
                reached("flush.fenced")
                self._metrics.store(session, taken, self.resume_from)
                increment(session, "flush_retries", self._retries)
            reached("flush.committed")
        except (SQLAlchemyError, StorageFull):
            self._metrics.put_back(taken)
            raise
        self._retries = 0
        self._metrics.stored(taken)
        if taken.checkpoint is not None:
            reached("checkpoint.committed")
            self._checkpoints.committed(taken.checkpoint)
        return request
