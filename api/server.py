"""The HTTP server, which stops without losing a request."""

import json
import os
import socket
import threading
import time
from functools import partial
from types import FrameType

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.connections import Connection, Gate, Limits

KEEP_ALIVE = 75
"""Seconds that an idle connection is kept. Clients and proxies, which give theirs up after 5 to 60, must be the first
to close: a request that meets the server's own close is lost."""

LAST_ANSWERS = 3
"""Seconds for requests that are still being answered when the drain time is over."""

ACCEPTED_AT_ONCE = 16
"""Connections that asyncio accepts before the server hears of one, and can make room. It goes on, with a line in the
log for each, where no descriptor is left."""

BACKLOG = 2048
"""Connections that the kernel keeps until they are accepted."""


class Closing:
    """ASGI middleware that closes connections after their next answer, once the process is leaving."""

    def __init__(self, app: ASGIApp, leaving: threading.Event) -> None:
        self._app = app
        self._leaving = leaving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_last(message: Message) -> None:
            if message["type"] == "http.response.start" and self._leaving.is_set():
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        await self._app(scope, receive, send_last if scope["type"] == "http" else send)


class Server(uvicorn.Server):
    """uvicorn with a drain: at the first SIGTERM or SIGINT the app's `leaving` is set, and it answers a while longer.

    A socket of its own goes on accepting, so that a load balancer has the time to notice `/readyz`; an inherited one
    is left to the siblings at once. Connections that wait for their next request stay open: one that was on its way
    is answered, not reset. A second signal ends it.
    """

    def __init__(
        self,
        app: FastAPI,
        host: str,
        port: int,
        *,
        limits: Limits,
        drain: float,
        inherited: bool = False,
        ready: int | None = None,
        tell: bool = False,
    ) -> None:
        """Serve `app`; `drain` is in seconds, and `ready` a pipe's write end, written to once requests are answered.

        With `tell` a line of JSON then says where, on standard output.
        """
        self._leaving: threading.Event = app.state.leaving
        # Outside of the app: its answers to errors that nobody expected are made outside of its own middleware.
        super().__init__(
            uvicorn.Config(
                Closing(app, self._leaving),
                host=host,
                port=port,
                http=partial(Connection, Gate(limits)),  # type: ignore[arg-type]  # called for each one
                backlog=ACCEPTED_AT_ONCE,
                proxy_headers=False,  # the app's own, which knows the proxies
                log_config=None,
                access_log=False,  # a poller asks several times a second: it would hide what matters
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=LAST_ANSWERS,
            )
        )
        self._drain = drain
        self._inherited = inherited
        self._ready = ready
        self._tell = tell
        self._told = False
        self._until = 0.0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 the base's
        """Begin the drain at the next tick: a signal handler must not take the lock of an event."""
        self._captured_signals.append(sig)
        if self._told:
            self.should_exit = self.force_exit = True
        self._told = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for server in self.servers:
            for one in server.sockets:
                with socket.socket(fileno=os.dup(one.fileno())) as same:
                    same.listen(BACKLOG)
        if self._ready is not None:
            os.write(self._ready, b"1")
            os.close(self._ready)
        if self._tell:
            host, port, *_ = self.servers[0].sockets[0].getsockname()
            url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
            print(json.dumps({"url": url, "pid": os.getpid()}), flush=True)  # noqa: T201 for who started it

    async def on_tick(self, counter: int) -> bool:
        if self._told and not self._leaving.is_set():
            self._leave()
        if self._leaving.is_set() and self._is_drained():
            self.should_exit = True
        return await super().on_tick(counter)

    def _leave(self) -> None:
        self._leaving.set()
        self._until = time.monotonic() + self._drain
        if self._inherited:
            for server in self.servers:
                server.close()

    def _is_drained(self) -> bool:
        return time.monotonic() >= self._until or (self._inherited and not self.server_state.connections)
