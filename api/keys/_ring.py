"""The keys that one process of the API knows: those of the file, and the database's as they were a second ago."""

import asyncio
import logging
import math
import time
from collections.abc import Mapping

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from api.keys import stored
from api.keys._key import Key, owner
from core.store import Database, StorageFull

log = logging.getLogger(__name__)

FRESH = 1.0
"""Seconds for which the database's keys are taken for what they were: a revoked key ends everywhere within them."""
PATIENCE = 2.0
"""Seconds that a request waits for a database that does not answer, before the keys count as they were last read."""
USED = 60.0
"""Seconds between two notes of a key's use by one process."""


class KeyRing:
    """The keys of the file and of the database; an id that both have is the file's."""

    def __init__(self, database: Database, file: Mapping[str, Key] | None = None) -> None:
        self._database = database
        self._file = file or {}
        self.has_file = bool(file)
        """True where a file has keys: requests need one, whatever the database says."""
        self._all: Mapping[str, Key] = self._file
        self._read_at = -math.inf
        self.is_known = False
        """True once the database's keys have been read."""
        self._reading: asyncio.Task[None] | None = None
        self._noted_at: dict[str, float] = {}
        self._notes: set[asyncio.Task[None]] = set()
        self._one = CapacityLimiter(1)  # a thread of its own: requests that hold all others wait for it

    @property
    def is_needed(self) -> bool:
        """Return whether requests need a key: as soon as there has ever been one, or that cannot be known."""
        return bool(self._all) or not self.is_known

    def get(self, name: str | None) -> Key | None:
        """Return the key of an id."""
        return self._all.get(name or "")

    def owner(self, key: str) -> str | None:
        """Return the id of the key, or None."""
        return owner(key, self._all)

    async def refresh(self) -> None:
        """Read the database's keys again where they are older than `FRESH`."""
        if time.monotonic() - self._read_at < FRESH:
            return
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        await asyncio.wait([self._reading], timeout=PATIENCE)

    def note_use(self, name: str) -> None:
        """Have the use of a key of the database written, beside the request and at most every `USED` seconds."""
        clock = time.monotonic()
        if name in self._file or clock - self._noted_at.get(name, -math.inf) < USED:
            return
        self._noted_at[name] = clock
        note = asyncio.create_task(self._note(name))
        self._notes.add(note)
        note.add_done_callback(self._notes.discard)

    async def close(self) -> None:
        """Wait for what is being read and written."""
        await asyncio.gather(*filter(None, [self._reading]), *self._notes)

    async def _read(self) -> None:
        began = time.monotonic()
        try:
            self._all = {**await run_sync(self._load, limiter=self._one), **self._file}
            self.is_known = True
        except (DBAPIError, PoolTimeout) as error:
            log.warning("the API keys could not be read: %s", error)
        self._read_at = began

    async def _note(self, name: str) -> None:
        try:
            await run_sync(self._write, name)
        except (DBAPIError, PoolTimeout, StorageFull) as error:
            log.warning("the use of an API key could not be noted: %s", error)

    def _load(self) -> Mapping[str, Key]:
        with self._database.reading() as session:
            return stored.read(session)

    def _write(self, name: str) -> None:
        with self._database.transaction() as session:
            stored.used(session, name)
