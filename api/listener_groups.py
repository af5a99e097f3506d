"""Groups of listeners: what is new of an experiment is read and encoded once for all who wait for it at one place."""

import asyncio
import json
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, Protocol
from weakref import WeakSet

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from sqlalchemy.orm import Session

from core.errors import InvalidSpec, NotFound
from core.experiments.queries import read
from core.experiments.queries.cursor import Choice
from core.experiments.queries.series import refuse_unknown_metrics, refuse_unknown_run
from core.experiments.queries.stream import Stream, StreamEvent

KEEPALIVE_SECONDS = 15.0
"""Seconds after which a comment says that the stream is alive: proxies close what is silent for a minute."""
CHUNK = 2**16
"""Bytes of events that are sent together, but for a longer event."""
KEPT = 2**20
"""Bytes that a group keeps for those of its listeners that are slower than others; the last read is always kept."""


class Chunk(NamedTuple):
    """Consecutive events as they are sent, and the id of the last."""

    body: bytes
    id: str


class Group:
    """Listeners with the same choice, and the events that are new to them.

    It begins with those who come with one `Last-Event-ID`. Once it has all that is stored, it joins the group that has
    too: what they will be sent from then on is the same.
    """

    def __init__(self, experiment_id: int, choice: Choice, position: str | None, *, secret: bytes) -> None:
        self.choice = choice
        self._experiment = experiment_id
        self.stream = Stream(experiment_id, choice, position, secret=secret)
        self.listeners: WeakSet[Listener] = WeakSet()
        self.first = 0
        """The number of the oldest chunk that is kept."""
        self.reads = 0
        self.skipped = False
        """True where something may have happened that was not read, as none of its listeners had room for it."""
        self.over = False
        """True where its listeners had seen the end before, and nothing has happened since."""
        self.closed = False
        self.failure: Exception | None = None
        """The reason for which the last read failed, or for which there is none."""
        self.successor: tuple[Group, int] | None = None
        """The group that it has joined, and the chunk of that one with which its listeners go on."""
        self._chunks: deque[Chunk] = deque()
        self._size = 0
        self._news = asyncio.Event()

    @property
    def end(self) -> int:
        """Return the number of the chunk to come."""
        return self.first + len(self._chunks)

    @property
    def wanted(self) -> bool:
        """Return whether a listener has been sent all that there is: nothing is read before it can be sent."""
        return any(one.group is self and one.next == self.end for one in self.listeners)

    def chunk(self, number: int) -> Chunk:
        return self._chunks[number - self.first]

    def read(self, session: Session) -> list[Chunk] | None:
        """Return what is new, in a thread; None where the first look shows that its listeners have seen the end.

        Raises `NotFound`, and `InvalidSpec` where they chose a metric, an arm or a seed that the experiment has not.
        """
        if not self.reads:
            one = read.experiment(session, self._experiment)
            refuse_unknown_metrics(one, self.choice.metrics)
            refuse_unknown_run(session, one, self.choice.arm, self.choice.seed)
            if self.stream.is_over(session):
                return None
        return _encoded(self.stream.poll(session))

    def publish(self, chunks: list[Chunk] | InvalidSpec | None) -> None:
        """Let listeners have what was read, and forget what only the slowest still lack: they read it again."""
        begin = self.end
        self.reads += 1
        self.skipped, self.failure = False, None
        if chunks is None:
            self.over = self.closed = True
        elif isinstance(chunks, InvalidSpec):
            self.failure, self.closed = chunks, True
        else:
            self._chunks += chunks
            self._size += sum(len(chunk.body) for chunk in chunks)
            self.closed = self.stream.ended
        while self._size > KEPT and self.first < begin:
            self._size -= len(self._chunks.popleft().body)
            self.first += 1
        self.tell()

    def tell(self) -> None:
        """Wake whoever waits for this group."""
        self._news.set()
        self._news = asyncio.Event()

    async def wait(self) -> None:
        await self._news.wait()


class Reader(Protocol):
    """A listener's view of who reads for it."""

    def join(self, listener: "Listener") -> None:
        """Give the listener the group at its place, a new one where there is none."""

    def wake(self) -> None:
        """Read again soon: something was left out."""


class Listener:
    """One connection: its place in the events of a group."""

    def __init__(self, reader: Reader, choice: Choice, position: str | None) -> None:
        """Raises `InvalidSpec` for a position of another experiment or choice."""
        self.choice = choice
        self.position = position
        """The id of the last event that it was sent."""
        self.group: Group
        self.next = 0
        """The number of the group's chunk that it is to be sent."""
        self._reader = reader
        reader.join(self)

    async def begin(self) -> bool:
        """Wait for the first read; False where there is nothing to be sent any more.

        Raises `NotFound`, `InvalidSpec` for a metric that the experiment has not, and the database's errors.
        """
        while not (self.group.reads or self.group.closed):
            if self.group.failure is not None:
                raise self.group.failure
            await self.group.wait()
        if isinstance(self.group.failure, NotFound | InvalidSpec):
            raise self.group.failure
        return not self.group.over

    async def events(self) -> bytes | None:
        """Return the next events, or a comment after a silence; None at the end."""
        while True:
            group = self.group
            if self.next < group.first:
                self._reader.join(self)
            elif self.next < group.end:
                chunk = group.chunk(self.next)
                self.next += 1
                self.position = chunk.id
                return chunk.body
            elif group.successor is not None:
                self.group, self.next = group.successor
                if self.group.skipped:
                    self._reader.wake()
            elif group.closed:
                return None
            else:
                if group.skipped or group.stream.more:
                    self._reader.wake()
                try:
                    await asyncio.wait_for(group.wait(), KEEPALIVE_SECONDS)
                except TimeoutError:
                    return KEEPALIVE_COMMENT


def _encoded(events: Sequence[StreamEvent]) -> list[Chunk]:
    chunks: list[Chunk] = []
    parts: list[bytes] = []
    size = 0
    for i, one in enumerate(events):
        parts.append(format_sse_event(data_str=json.dumps(one.data, allow_nan=False), event=one.kind, id=one.id))
        size += len(parts[-1])
        if size >= CHUNK or i == len(events) - 1:
            chunks.append(Chunk(b"".join(parts), one.id))
            parts, size = [], 0
    return chunks
