"""The end of a training process that was asked to leave: between two cohorts, and never in one."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from core.failpoints import reached
from core.store import StorageFull

log = logging.getLogger(__name__)


class Place(Protocol):
    """A training process as its parent knows it."""

    def leave(self) -> None:
        """Note that none is to train in its stead, however this process ends."""

    def end(self) -> None:
        """End this process."""


class Drain:
    """A flag, set once somebody asked this process to leave; and the end that follows."""

    def __init__(self, place: Place | None) -> None:
        self._place = place
        self._asked = threading.Event()
        self._at_work = threading.Lock()

    def is_set(self) -> bool:
        """Return whether the process takes no cohort any more, and gives back the one that it trains."""
        return self._asked.is_set()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Take and train cohorts: the process does not end meanwhile."""
        with self._at_work:
            yield

    def advance(self, sign_off: Callable[[], None]) -> None:
        """Set the flag; end the process where it is not at work. Called at every heartbeat, from another thread."""
        if not self._asked.is_set():
            self._asked.set()
            log.info("this process was asked to leave")
            if self._place is not None:
                self._place.leave()
        if self._place is None or not self._at_work.acquire(blocking=False):
            return
        reached("drain.idle")
        with suppress(SQLAlchemyError, StorageFull):  # its heartbeat runs out by itself
            sign_off()
        log.info("drained: this process ends")
        self._place.end()
        self._at_work.release()
