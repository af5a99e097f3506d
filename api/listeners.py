"""All listeners of a process: one task for each experiment that is listened to reads what is new, for all of them."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from api.listener_groups import Chunk, Group, Listener
from core.errors import InvalidSpec, NotFound
from core.experiments.queries.cursor import Choice
from core.store import ChangeWatch, Database

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
"""Seconds between two reads where nobody says that something has changed."""
SURE_SECONDS = 2.0
"""Seconds between two reads where it is said: a message may be lost, as on a connection that died in silence."""
GATHER_SECONDS = 0.1
"""Seconds in which changes are gathered before they are read."""
LEAVE_SECONDS = 0.1
"""Seconds within which listeners notice that their process leaves."""
READ_SECONDS = 0.25
"""Seconds after which a read of several groups ends: the others come first in the next."""
READS_AT_ONCE = 4
"""Reads at the same time: however many experiments are listened to, other calls keep their threads and connections."""

Done = tuple[Group, list[Chunk] | InvalidSpec | None]


class Listeners:
    """The readers of one application, by experiment."""

    def __init__(self, database: Database, watch: ChangeWatch, leaving: Callable[[], bool], secret: bytes) -> None:
        """`secret` signs the ids of events, as `Stream` has it; `watch` is the database's."""
        self.database = database
        self.secret = secret
        self.limiter = CapacityLimiter(READS_AT_ONCE)
        self._leaving = leaving
        self._readers: dict[int, ExperimentReader] = {}
        self._watch = watch
        self._leave_task: asyncio.Task[None] | None = None

    def add(self, experiment_id: int, choice: Choice, position: str | None) -> Listener:
        """Return a new listener. Raises `InvalidSpec` for a position of another experiment or choice."""
        reader = self._readers.get(experiment_id) or ExperimentReader(self, experiment_id)
        listener = Listener(reader, choice, position)
        if experiment_id not in self._readers:
            self._readers[experiment_id] = reader
            reader.start()
        if self._leave_task is None:
            loop = asyncio.get_running_loop()
            self._watch.tell(lambda experiment: loop.call_soon_threadsafe(self._changed, experiment))
            self._leave_task = asyncio.create_task(self._leave())
        return listener

    def remove(self, reader: "ExperimentReader") -> None:
        self._readers.pop(reader.experiment_id, None)

    @property
    def hears(self) -> bool:
        """Return whether a change is told as it happens."""
        return self._watch.hears

    @property
    def patience(self) -> float:
        """Return the seconds after which an experiment is read though nobody said that it has changed."""
        return SURE_SECONDS if self.hears else POLL_SECONDS

    def close(self) -> None:
        """End all listeners."""
        if self._leave_task is not None:
            self._leave_task.cancel()
        for reader in list(self._readers.values()):
            reader.close()

    def _changed(self, experiment_id: int | None) -> None:
        readers = self._readers.values() if experiment_id is None else filter(None, [self._readers.get(experiment_id)])
        for reader in readers:
            reader.changed()

    async def _leave(self) -> None:
        while True:
            await asyncio.sleep(LEAVE_SECONDS)
            if self._leaving():
                for reader in list(self._readers.values()):
                    reader.close()


class ExperimentReader:
    """The groups of those who listen to one experiment, and the task that reads for them."""

    def __init__(self, listeners: Listeners, experiment_id: int) -> None:
        self.experiment_id = experiment_id
        self._all = listeners
        self._groups: list[Group] = []
        self._new: dict[tuple[Choice, str | None], Group] = {}
        """Those that nothing has been read for, which others may still begin with."""
        self._live: dict[Choice, Group] = {}
        """The group of each choice that has all that is stored, and that others join."""
        self._wake = asyncio.Event()
        self._gathering: asyncio.TimerHandle | None = None
        self._closed = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    def join(self, listener: Listener) -> None:
        place = (listener.choice, listener.position)
        group = self._new.get(place)
        if group is None:
            group = Group(self.experiment_id, *place, secret=self._all.secret)
            self._new[place] = group
            self._groups.append(group)
            group.closed = self._closed
        listener.group, listener.next = group, 0
        group.listeners.add(listener)
        self.wake()

    def wake(self) -> None:
        self._wake.set()

    def changed(self) -> None:
        """Read soon: what else changes until then is read with it."""
        if self._gathering is None:
            self._gathering = asyncio.get_running_loop().call_later(GATHER_SECONDS, self._gathered)

    def close(self) -> None:
        """End all listeners, each after what it has been read."""
        self._closed = True
        self._all.remove(self)
        for group in self._groups:
            group.closed = True
            group.tell()
        self.wake()

    def _gathered(self) -> None:
        self._gathering = None
        self.wake()

    async def _run(self) -> None:
        pause = 0.0
        while not self._closed:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)
            self._wake.clear()
            self._groups = [group for group in self._groups if len(group.listeners)]
            if not self._groups:
                self.close()
                return
            pause = await self._read()

    async def _read(self) -> float:
        """Read for the groups that have room, and return the seconds until the next read that nobody asked for."""
        self._groups.sort(key=lambda group: (self._live.get(group.choice) is not group, group.reads))
        due: list[Group] = []
        for group in self._groups:
            if group.wanted:
                due.append(group)
            else:
                group.skipped = True
        done: list[Done] = []
        failure: Exception | None = None
        self._new.clear()  # whoever comes while it is read has a read of its own
        try:
            await run_sync(self._read_in_thread, due, done, limiter=self._all.limiter)
        except NotFound as error:
            failure = error
        except (DBAPIError, PoolTimeout) as error:  # listeners wait here as well as they would by connecting again
            log.warning("listeners of experiment %d: the database could not be read: %s", self.experiment_id, error)
            failure = error
        for group, chunks in done:
            group.publish(chunks)
        self._join_up([group for group, _ in done])
        self._groups = [group for group in self._groups if not (group.closed or group.successor)]
        if failure is not None:
            for group in self._groups:
                group.failure = failure
                group.tell()
            if isinstance(failure, NotFound):
                self.close()
            return POLL_SECONDS
        return 0.0 if len(done) < len(due) else self._all.patience

    def _read_in_thread(self, due: list[Group], done: list[Done]) -> None:
        until = time.monotonic() + READ_SECONDS
        with self._all.database.reading() as session:
            for group in due:
                try:
                    done.append((group, group.read(session)))
                except InvalidSpec as error:
                    done.append((group, error))
                if time.monotonic() > until:
                    return

    def _join_up(self, read: list[Group]) -> None:
        """Let groups of a choice be one that, in one state of the database, have all that is stored."""
        complete = [group for group in read if not (group.stream.more or group.closed)]
        for group in complete:
            live = self._live.get(group.choice)
            if live is None or live not in self._groups or live.closed:
                self._live[group.choice] = group
            elif live is not group and live in complete:
                group.successor = (live, live.end)
                for listener in group.listeners:
                    live.listeners.add(listener)
                group.tell()
