"""The keeper of a claim: a thread that stores what the trainer measures, renews the lease and hears the user.

The trainer never waits for it. All of a worker's writes go through here, each in one transaction that begins by
renewing the lease, so that a worker whose cohort was given to another can write nothing.
"""

import logging
import math
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from numpy.typing import NDArray
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.energy import EnergyAccount
from core.experiments.cohorts.checkpoints import CheckpointStore
from core.experiments.cohorts.claims import Claim, LastValues
from core.experiments.cohorts.events import Count, increment
from core.experiments.cohorts.leases import (
    Ended,
    Fenced,
    Flush,
    StopRequest,
    end,
    fall_back,
    flush,
    poll_requests,
    renew,
)
from core.experiments.cohorts.pruning import wait
from core.experiments.cohorts.recovery import mark_lost
from core.experiments.cohorts.splitting import split_cohort
from core.experiments.worker.watchdog import Flag, Reason, Watchdog
from core.failpoints import reached
from core.results import Outcome, is_diagnostic, spacing
from core.store import Database, Status, StorageFull, metric_blocks
from core.training import Checkpoint

log = logging.getLogger(__name__)

TICK = 0.2
"""Seconds between looks at what the user wants: the delay of a cancellation."""
ASLEEP = 1.0
"""Seconds of a tick that only a process which did not run at all can take."""
LEAVING = 3.0
"""Seconds that a process which is to leave waits for a database that does not answer."""
HUNG = 70
"""The exit code of a process whose training does not stop."""


class AttemptRecorder:
    """A `Recorder` whose points end in the database. `reason` says why the trainer should stop; None: it should not."""

    def __init__(
        self,
        database: Database,
        held: Claim,
        store: CheckpointStore,
        lease_seconds: float,
        draining: Flag,
        watchdog: Watchdog | None = None,
        account: EnergyAccount | None = None,
    ) -> None:
        self.reason: Reason | None = None
        self._since = 0.0
        self._database = database
        self._held = held
        self._lease = lease_seconds
        self._draining = draining
        self._lock = threading.Lock()
        self._measured, self._buffer = Flush(), Flush()
        self._checkpoints = store
        self._writing: threading.Thread | None = None
        self.resume_from = held.resume_from
        """The checkpoint that training goes on from."""
        self._last: dict[int, dict[str, float | None]] = {lane.run: {} for lane in held.lanes}
        self._steps: dict[int, int] = {}
        self._go_on_from(held.last_values)
        self._retries = 0
        self._renewed = time.monotonic()
        self._watch = watchdog or Watchdog(60.0)
        self._bill = account or EnergyAccount(held.cost, held.training)
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._thread.start()

    def stopped(self) -> bool:
        """Polled by the trainer at every step."""
        self._watch.beat()
        reached("update")
        return self.reason is not None

    def record(self, run: int, metric: str, first: int, values: NDArray[Any]) -> None:
        if not len(values) or run in self._held.ended:
            return
        every = spacing(self._held.spec, metric)
        self._measured.blocks.append(metric_blocks.encode(run, metric, first, values, every))
        if not is_diagnostic(metric):
            last = float(values[-1])
            self._last[run][metric] = last if math.isfinite(last) else None
        if metric == "train_loss":
            self._steps[run] = first + len(values)

    def finish(self, run: int, outcome: Outcome) -> None:
        if run not in self._held.ended:
            self._measured.ended[run] = Ended(outcome, self._steps[run], self._last[run])
            if outcome == "diverged":
                log.info("diverged", extra=self._held.about(run) | {"update": self._steps[run]})

    def advance(self, step: int) -> None:
        """What was measured until now is stored together: every run has come as far as the others."""
        with self._lock:
            self._take_measured()
            self._buffer.step = step
        self._wake.set()

    def fall_back(self, why: str) -> None:
        """Forget a checkpoint that cannot be used, for the one before it or none. Raises `Fenced`."""
        log.warning("the checkpoint cannot be used: %s", why)
        with self._database.transaction() as session:
            self.resume_from, last = fall_back(session, self._held, why)
        self._go_on_from(last)

    def keep(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint to its file, aside; its cohort goes on from it as soon as a transaction has said so."""
        if self._writing is None or not self._writing.is_alive():  # a disk that is slower than the pace misses some
            self._writing = threading.Thread(target=self._write, args=[checkpoint], name="checkpoint", daemon=True)
            self._writing.start()

    def keep_last(self, checkpoint: Checkpoint) -> None:
        """The same of a trainer that has stopped, and wait for the file: the process is about to leave."""
        self._watch.end()
        if self._writing is not None:
            self._writing.join()
        self._write(checkpoint)

    def close(self, status: str, error: str | None = None, why: str | None = None) -> None:
        """Store what is left and end the claim, or have it wait at its rung, in the same transaction. Raises `Fenced`.

        Waits for a database that is away, as long as the process may: what was measured is here and nowhere else.
        Raises the database's error where the process has to leave first.
        """
        waits = status == "waiting"
        self._last_words(
            lambda s: wait(s, self._held) if waits else end(s, self._held, Status(status), error=error, why=why)
        )

    def mark_lost(self, why: str) -> None:
        """Give the attempt up as lost, with the points after its checkpoint. Raises as `close`."""
        self._last_words(lambda session: mark_lost(session, self._held, why))

    def split_cohort(self, error: str) -> str:
        """Store what is left and halve the cohort in the same transaction; returns its status. Raises as `close`."""
        return self._last_words(lambda session: split_cohort(session, self._held, error))

    def abandon(self) -> None:
        """Stop without another word to the database."""
        self._closing.set()
        self._wake.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def increment(self, what: Count) -> None:
        """Add to a counter, where the database answers: of a worker that another has fenced off too."""
        with suppress(SQLAlchemyError, StorageFull), self._database.transaction() as session:
            increment(session, what)

    def _last_words(self, say: Callable[[Session], str]) -> str:
        self.abandon()
        if self._writing is not None:
            self._writing.join()
        with self._lock:
            self._take_measured()
        what, leaving_since = self._buffer, None
        what.cost = self._bill.cost()
        while True:
            try:
                with self._database.transaction() as session:
                    renew(session, self._held, self._lease)
                    flush(session, self._held, what, self.resume_from)
                    increment(session, "flush_retries", self._retries)
                    status = say(session)
                    reached("end.fenced")
                break
            except (SQLAlchemyError, StorageFull) as error:
                self._retries += 1
                if self._draining.is_set():
                    leaving_since = leaving_since or time.monotonic()
                    if time.monotonic() - leaving_since > LEAVING:
                        raise
                log.warning("the end cannot be written yet: %s", error)
                time.sleep(TICK)
        reached("end.committed")
        if status in ("succeeded", "cancelled"):
            self._checkpoints.clear()
        elif what.checkpoint is not None:
            self._checkpoints.clear(what.checkpoint, self.resume_from)
        return status

    def _go_on_from(self, last: LastValues) -> None:
        self._last = {lane.run: {**last.get(lane.run, {})} for lane in self._held.lanes}
        self._buffer.step = self.resume_from.step if self.resume_from else 0
        self._steps = dict.fromkeys(self._last, self._buffer.step)

    def _take_measured(self) -> None:
        taken, self._measured = self._measured, Flush()
        self._buffer.blocks += taken.blocks
        self._buffer.ended |= taken.ended

    def _write(self, checkpoint: Checkpoint) -> None:
        try:
            kept = self._checkpoints.write(checkpoint)
        except OSError as error:  # a full disk: training goes on, and would go on from the file before
            log.warning("no checkpoint of update %d could be written: %s", checkpoint.step, error)
            self.increment("checkpoint_failures")
            return
        with self._lock:
            self._buffer.checkpoint = kept
        self._wake.set()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._rest()
            if self._draining.is_set():
                self._stop("drain")
            waited = self._watch.stuck(self.reason, self._since)
            if waited is not None:
                self._leave_stuck(waited)
            if self.reason in ("fenced", "silent"):
                continue
            try:
                self._look()
            except Fenced as fenced:
                log.warning("%s was given to another worker; nothing more is written", fenced)
                self._stop("fenced")
            except (SQLAlchemyError, StorageFull) as error:
                self._retries += 1
                log.warning("the database cannot be written; %d blocks wait: %s", len(self._buffer.blocks), error)
                if time.monotonic() - self._renewed > self._lease * 0.8:
                    self._stop("silent")  # others may claim soon: stop before they do

    def _rest(self) -> None:
        began = time.monotonic()
        self._wake.wait(TICK)
        self._wake.clear()
        if (slept := time.monotonic() - began) > ASLEEP:
            self._watch.forgive(slept)
            self._since += slept

    def _stop(self, reason: Reason) -> None:
        """Have the trainer stop; a reason that forbids to write outweighs the others."""
        if self.reason is None or (reason in ("fenced", "silent") and self.reason != reason):
            self.reason, self._since = reason, time.monotonic()

    def _look(self) -> None:
        """One fenced transaction where there is something to store or the lease has aged; else one cheap read."""
        with self._lock:
            taken, self._buffer = self._buffer, Flush(step=self._buffer.step)
        started = time.monotonic()
        if not (taken.blocks or taken.ended or taken.checkpoint) and started - self._renewed < self._lease / 6:
            with self._database.reading() as session:
                request = poll_requests(session, self._held)
        else:
            request = self._store(taken)
            self._renewed = started
        if request is not None:
            self._stop(request)

    def _store(self, taken: Flush) -> StopRequest | None:
        taken.cost = self._bill.cost()
        try:
            with self._database.transaction() as session:
                request = renew(session, self._held, self._lease)
                reached("flush.fenced")
                flush(session, self._held, taken, self.resume_from)
                increment(session, "flush_retries", self._retries)
            reached("flush.committed")
        except (SQLAlchemyError, StorageFull):
            with self._lock:  # the same blocks again later: storing one twice changes nothing
                self._buffer = taken.then(self._buffer)
            raise
        self._retries = 0
        self._bill.leave(len(taken.ended))
        if taken.checkpoint is not None:
            reached("checkpoint.committed")
            self._checkpoints.clear(taken.checkpoint, self.resume_from)
            self.resume_from = taken.checkpoint
        return request

    def _leave_stuck(self, waited: float) -> None:
        """End the claim from this thread, and the process: a batch that does not return cannot be stopped."""
        why = f"no update for {waited:.0f} s, {self.reason or 'and nobody had asked to stop'}"
        log.error("the training hangs (%s): this process ends", why)
        with suppress(Fenced, SQLAlchemyError, StorageFull):
            if self.reason == "cancel":
                self.close("cancelled", why=why)
            elif self.reason in ("drain", "pause"):
                self.close("queued", why=why)
            elif self.reason is None:
                self.mark_lost(why)
        self.increment("hangs")
        os._exit(HUNG)
