"""The keys, roles and ended sessions that one process knows: the file's, and the database's of a second ago."""

import asyncio
import logging
import math
import time
from collections.abc import Container, Mapping

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from api.keys import stored
from api.keys._key import Key, owner
from api.keys._roles import Roles
from core.store import Database, StorageFull

log = logging.getLogger(__name__)

FRESH = 1.0
"""Seconds for which the database's keys are taken for what they were: a revoked key ends everywhere within them."""
PATIENCE = 2.0
"""Seconds that a request waits for a database that does not answer, before the keys count as they were last read."""
USED = 60.0
"""Seconds between two notes of a key's use by one process."""


class KeyRing:
    """The keys of the file and of the database; an id that both have is the file's. And the roles in projects."""

    def __init__(self, database: Database, file: Mapping[str, Key] | None = None, *, users: bool = False) -> None:
        """With `users` some come without a key, as somebody that a proxy or a provider vouches for."""
        self._database = database
        self._users = users
        self._file = file or {}
        self.has_file = bool(file)
        """True where a file has keys: requests need one, whatever the database says."""
        self._all: Mapping[str, Key] = self._file
        self.roles = Roles()
        """The projects, and who has which role in them."""
        self.ended_sessions: Container[str] = ()
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
        return bool(self._all) or self._users or not self.is_known

    def get(self, name: str | None) -> Key | None:
        """Return the key of an id."""
        return self._all.get(name or "")

    def owner(self, key: str) -> str | None:
        """Return the id of the key, or None."""
        return owner(key, self._all)

    async def refresh(self, *, at_once: bool = False) -> None:
        """Read the database's keys again where they are older than `FRESH`, or `at_once`."""
        if at_once:
            await self.close()  # what is being read now may be of before
        elif time.monotonic() - self._read_at < FRESH:
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
            keys, self.roles, self.ended_sessions = await run_sync(self._load, limiter=self._one)
            self._all = {**keys, **self._file}
            self.is_known = True
        except (DBAPIError, PoolTimeout) as error:
            log.warning("the API keys could not be read: %s", error)
        self._read_at = began

    async def _note(self, name: str) -> None:
        try:
            await run_sync(self._write, name)
        except (DBAPIError, PoolTimeout, StorageFull) as error:
            log.warning("the use of an API key could not be noted: %s", error)

    def _load(self) -> tuple[Mapping[str, Key], Roles, Container[str]]:
        with self._database.reading() as session:
            return stored.read(session), Roles.read(session), stored.ended_sessions(session)

    def _write(self, name: str) -> None:
        with self._database.transaction() as session:
            stored.used(session, name)
