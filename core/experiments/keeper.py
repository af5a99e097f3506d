"""The keeper of a claim: a thread that stores what the trainer measures, renews the lease and hears the user.

The trainer never waits for it. All of a worker's writes go through here, each in one transaction that begins by
renewing the lease, so that a worker whose cohort was given to another can write nothing.
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Any, Literal, Protocol

from numpy.typing import NDArray
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.experiments.checkpoints import Shelf
from core.experiments.claim import Claim, Ended, Fenced, Flush, end, flush, peek, renew, restart
from core.experiments.halve import halve
from core.results import Outcome
from core.store import Database, StorageFull
from core.training import Checkpoint

log = logging.getLogger(__name__)

TICK = 0.2
"""Seconds between looks at what the user wants: the delay of a cancellation."""

Reason = Literal["cancel", "drain", "fenced"]


class Flag(Protocol):
    """Set when the process is to leave: a `multiprocessing` or `threading` event."""

    def is_set(self) -> bool: ...


class Keeper:
    """A `Recorder` whose points end in the database. `reason` says why the trainer should stop; None: it should not."""

    def __init__(self, database: Database, held: Claim, shelf: Shelf, lease_seconds: float, draining: Flag) -> None:
        self.reason: Reason | None = None
        self._database = database
        self._held = held
        self._lease = lease_seconds
        self._draining = draining
        self._lock = threading.Lock()
        self._buffer = Flush()
        self._shelf = shelf
        self._writing: threading.Thread | None = None
        self._kept = held.kept
        self._last: dict[int, dict[str, float | None]] = {
            lane.run: {**held.last.get(lane.run, {})} for lane in held.lanes
        }
        self._steps: dict[int, int] = dict.fromkeys(self._last, held.kept.step if held.kept else 0)
        self._renewed = time.monotonic()
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._thread.start()

    def stopped(self) -> bool:
        """Polled by the trainer at every step."""
        return self.reason is not None

    def record(self, run: int, metric: str, first: int, values: NDArray[Any]) -> None:
        if not len(values) or run in self._held.ended:
            return
        block = {
            "run_id": run,
            "metric": metric,
            "first": first,
            "n": len(values),
            "values": values.astype(values.dtype.newbyteorder("<")).tobytes(),
        }
        last = float(values[-1])
        with self._lock:
            self._buffer.blocks.append(block)
            self._last[run][metric] = last if math.isfinite(last) else None
            if metric == "train_loss":
                self._steps[run] = first + len(values)

    def finish(self, run: int, outcome: Outcome) -> None:
        if run in self._held.ended:
            return
        with self._lock:
            self._buffer.ended[run] = Ended(outcome, self._steps[run], self._last[run])

    def advance(self, step: int) -> None:
        with self._lock:
            self._buffer.step = step
        self._wake.set()

    def restart(self) -> None:
        """Forget the checkpoint that the claim was to go on from: it cannot be used. Raises `Fenced`."""
        with self._database.transaction() as session:
            restart(session, self._held)
        self._kept = None
        self._last = {run: {} for run in self._last}
        self._steps = dict.fromkeys(self._last, 0)

    def keep(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint to its file, aside; its cohort goes on from it as soon as a transaction has said so."""
        if self._writing is None or not self._writing.is_alive():  # a disk that is slower than the pace misses some
            self._writing = threading.Thread(target=self._write, args=[checkpoint], name="checkpoint", daemon=True)
            self._writing.start()

    def keep_last(self, checkpoint: Checkpoint) -> None:
        """The same, and wait for the file: the process is about to leave."""
        self._finish_writing()
        self._write(checkpoint)

    def close(self, status: str, error: str | None = None) -> None:
        """Store what is left and end the claim in the same transaction. Raises `Fenced`, or the database's error."""

        def say(session: Session) -> str:
            end(session, self._held, status, error)
            return status

        self._last_words(say, goes_on=status == "queued")

    def halve(self, error: str) -> str:
        """Store what is left and halve the cohort in the same transaction; returns its status. Raises as `close`."""
        return self._last_words(lambda session: halve(session, self._held, error), goes_on=False)

    def _last_words(self, say: Callable[[Session], str], goes_on: bool) -> str:
        self.abandon()
        self._finish_writing()
        give_up = self._renewed + self._lease * 0.8
        while True:
            try:
                with self._database.transaction() as session:
                    renew(session, self._held, self._lease)
                    flush(session, self._held, self._buffer)
                    status = say(session)
                self._shelf.clear(self._buffer.kept or self._kept if goes_on else None)
                return status
            except (SQLAlchemyError, StorageFull):
                if time.monotonic() > give_up:
                    raise
                time.sleep(TICK)

    def abandon(self) -> None:
        """Stop without another word to the database."""
        self._closing.set()
        self._wake.set()
        self._thread.join()

    def _finish_writing(self) -> None:
        if self._writing is not None:
            self._writing.join()

    def _write(self, checkpoint: Checkpoint) -> None:
        try:
            kept = self._shelf.write(checkpoint)
        except OSError as error:  # a full disk: training goes on, and would go on from the file before
            log.warning("no checkpoint of update %d could be written: %s", checkpoint.step, error)
            return
        with self._lock:
            self._buffer.kept = kept
        self._wake.set()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(TICK)
            self._wake.clear()
            try:
                self._look()
            except Fenced as fenced:
                log.warning("%s was given to another worker; nothing more is written", fenced)
                self.reason = "fenced"
                return
            except (SQLAlchemyError, StorageFull) as error:
                log.warning("the database cannot be written; %d blocks wait: %s", len(self._buffer.blocks), error)
                if time.monotonic() - self._renewed > self._lease * 0.8:
                    self.reason = "fenced"  # others may claim soon: stop before they do
                    return

    def _look(self) -> None:
        """One fenced transaction where there is something to store or the lease has aged; else one cheap read."""
        if self._draining.is_set() and self.reason is None:
            self.reason = "drain"
        with self._lock:
            taken, self._buffer = self._buffer, Flush(step=self._buffer.step)
        started = time.monotonic()
        if not (taken.blocks or taken.ended or taken.kept) and started - self._renewed < self._lease / 6:
            with self._database.reading() as session:
                cancelled = peek(session, self._held)
        else:
            cancelled = self._store(taken)
            self._renewed = started
        if cancelled and self.reason is None:
            self.reason = "cancel"

    def _store(self, taken: Flush) -> bool:
        try:
            with self._database.transaction() as session:
                cancelled = renew(session, self._held, self._lease)
                flush(session, self._held, taken)
        except (SQLAlchemyError, StorageFull):
            with self._lock:  # the same blocks again later: storing one twice changes nothing
                taken.blocks += self._buffer.blocks
                taken.ended |= self._buffer.ended
                taken.kept = self._buffer.kept or taken.kept
                taken.step, self._buffer = self._buffer.step, taken
            raise
        if taken.kept is not None:
            self._kept = taken.kept
            self._shelf.clear(taken.kept)
        return cancelled
