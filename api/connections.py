"""The server's connections: each header and each body comes in time, answers are read, and there are only so many."""

import asyncio
import logging
import resource
from typing import Any, NamedTuple

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

log = logging.getLogger(__name__)

SPARE = 200
"""Descriptors that are left for the database, the broker, files and the processes of the pool."""
LEAST_RATE = 10_000
"""Bytes of a body that come in a second, on the whole, once the time that any body has is over."""
_LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Limits(NamedTuple):
    """The limits of a server's connections."""

    header_seconds: float
    """From the beginning of a connection, or the first byte of a later request, to the end of the header."""
    body_seconds: float
    """For a body, or the silence of one who does not read an answer; each 10,000 bytes of a body give a second more."""
    connections: int
    """Open at a time; fewer where the process may not have so many descriptors."""


class Gate:
    """The connections of one server that wait for a request, the oldest first.

    When there are too many connections, the oldest of them gives way: whoever opens many and asks for nothing keeps
    nobody out. Without such a bound the descriptors end, and with them everything that needs one.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.waiting: dict[Connection, None] = {}
        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = max(descriptors - SPARE, descriptors // 2)
        self._most = limits.connections if descriptors == resource.RLIM_INFINITY else min(limits.connections, most)

    def admits(self, connections: int) -> bool:
        """Return whether there is room for the last of so many connections, or room can be made."""
        if connections <= self._most:
            return True
        oldest = next(iter(self.waiting), None)
        if oldest is not None:
            del self.waiting[oldest]
            oldest.transport.close()
            log.warning("%d connections are open: the one that waited longest for a request was closed", self._most)
        else:
            log.warning("%d connections are open: one more was refused", self._most)
        return oldest is not None


class Connection(H11Protocol):
    """uvicorn's protocol, with deadlines for what a client sends, and for its silence while it is answered.

    uvicorn itself has one for connections that wait for their next request, and none for those in the middle of one.
    """

    def __init__(self, gate: Gate, **given: Any) -> None:
        super().__init__(**given)
        self._gate = gate
        self._awaits: tuple[object, ...] = ()
        self._bytes = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self._gate.admits(len(self.connections)):
            self._watch()
        else:
            transport.write(_FULL)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gate.waiting.pop(self, None)
        for timer in (self._deadline, self._stalled):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._bytes += len(data)
        self._watch(len(data))

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(self._gate.limits.body_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()

    def _watch(self, received: int = 0) -> None:
        """Follow what the connection waits for: a first or a begun header and a body have a time."""
        state = self.conn.their_state
        if state is h11.IDLE and not self.transport.is_closing():
            self._gate.waiting[self] = None
        else:
            self._gate.waiting.pop(self, None)
        awaits: tuple[object, ...] = ()
        if state is h11.SEND_BODY or (state is h11.IDLE and (self.cycle is None or self.conn.trailing_data[0])):
            awaits = (state, self.cycle)
        if awaits == self._awaits:
            return
        self._awaits = awaits
        if self._deadline is not None:
            self._deadline.cancel()
        if awaits:
            self._bytes = received
            limits = self._gate.limits
            seconds = limits.body_seconds if state is h11.SEND_BODY else limits.header_seconds
            self._set(self.loop.time() + seconds, body=state is h11.SEND_BODY)

    def _set(self, until: float, *, body: bool) -> None:
        self._deadline = self.loop.call_at(until, self._check, until, body)

    def _check(self, until: float, body: bool) -> None:
        """End the connection, or give it more time: for the body that has come, and while nobody reads it here."""
        more = self._bytes / LEAST_RATE if body else 0.0
        self._bytes = 0
        if body and self.flow.read_paused:
            more = max(more, self._gate.limits.body_seconds)
        if more:
            self._set(until + more, body=body)
            return
        log.warning("a connection was closed: its request did not come in time")
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.write(_LATE)
        self.transport.close()
