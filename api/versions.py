"""The versions of experiments that have ended, kept while nobody says that one has changed."""

import threading
import time

from anyio.to_thread import run_sync

from core.experiments.queries import read
from core.store import ChangeWatch, Database

SURE_SECONDS = 2.0
"""Seconds for which a version is kept: a message of a change may be lost, as on a connection that died in silence."""
MOST = 4096


class Versions:
    """The versions of experiments, for ETags: that of one which has ended is read once, and not for every request.

    A transaction of the same `Database` is heard of before its caller goes on, one of another process within
    milliseconds on PostgreSQL and a tenth of a second on SQLite. Where nothing can be heard, nothing is kept.
    """

    def __init__(self, database: Database, watch: ChangeWatch) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._kept: dict[int, tuple[str, float]] = {}
        self._changes = 0
        self._watch = watch
        self._is_told = False
        database.observe(self._forget)

    async def get(self, experiment_id: int) -> str:
        """Return the version of an experiment; raises `NotFound`. Called in the event loop."""
        kept = self._kept.get(experiment_id)
        if kept is not None and time.monotonic() < kept[1]:
            return kept[0]
        if not self._is_told:
            self._is_told = True
            self._watch.tell(self._forget)
        return await run_sync(self._read, experiment_id)

    def _read(self, experiment_id: int) -> str:
        before = self._changes
        with self._database.reading() as session:
            found = read.state(session, experiment_id)
        with self._lock:
            if found.ended and self._watch.hears and self._changes == before:
                if len(self._kept) >= MOST:
                    self._kept.clear()
                self._kept[experiment_id] = found.version, time.monotonic() + SURE_SECONDS
        return found.version

    def _forget(self, experiment_id: int | None) -> None:
        with self._lock:
            self._changes += 1  # what is being read now may be from before
            if experiment_id is None:
                self._kept.clear()
            else:
                self._kept.pop(experiment_id, None)
