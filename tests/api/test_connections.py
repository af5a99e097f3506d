"""Connections that bring nothing end, and keep nobody out. Real sockets, and a server with short times."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from api.connections import Limits
from api.server import Server

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
SHORT = Limits(header_seconds=0.3, body_seconds=0.3, connections=100)
FEW = Limits(header_seconds=60, body_seconds=60, connections=3)
Connect = Callable[..., socket.socket]


class App(FastAPI):
    """Answers, holds, takes a body, and gives one without end."""

    def __init__(self) -> None:
        super().__init__()
        self.state.leaving = threading.Event()
        self.held = threading.Semaphore(0)
        self.go = asyncio.Event()
        self.gone = threading.Event()
        self.get("/healthz")(self.health)
        self.get("/held")(self.hold)
        self.post("/body")(self.body)
        self.get("/endless")(self.endless)

    async def health(self) -> str:
        return "ok"

    async def hold(self) -> str:
        self.held.release()
        await self.go.wait()
        return "held"

    async def body(self, request: Request) -> int:
        return len(await request.body())

    async def endless(self) -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield bytes(2**20)
                    await asyncio.sleep(0)  # or the loop hears of nothing else
            finally:
                self.gone.set()

        return StreamingResponse(parts())


@contextmanager
def serving(limits: Limits) -> Iterator[tuple[App, Connect]]:
    app = App()
    server = Server(app, "127.0.0.1", 0, limits=limits, drain=0, inherited=True)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    with ExitStack() as stack:

        def connect(sent: bytes = b"") -> socket.socket:
            one = stack.enter_context(socket.create_connection(listening.getsockname(), timeout=10))
            one.sendall(sent)
            return one

        try:
            yield app, connect
        finally:
            server.should_exit = server.force_exit = True
            thread.join(10)
            assert not thread.is_alive()


def everything(one: socket.socket) -> bytes:
    """What comes until the connection is closed."""
    found = b""
    try:
        while part := one.recv(2**16):
            found += part
    except ConnectionResetError:
        pass
    return found


def answer(one: socket.socket) -> bytes:
    """The first packet of an answer, which is all of it here."""
    found = b""
    while b"\r\n\r\n" not in found or not found.endswith((b'"ok"', b"20000", b'"held"')):
        part = one.recv(2**16)
        if not part:
            break
        found += part
    return found


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /healthz HT",
        REQUEST[:-2] + b"A: b\r\n",
        b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nabc",
        b"POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ],
    ids=["nothing", "half a line", "half a header", "half a body", "half of the chunks"],
)
def test_half_a_request_is_answered_with_408_in_time(sent: bytes) -> None:
    with serving(SHORT) as (_, connect):
        assert everything(connect(sent)).startswith(b"HTTP/1.1 408 ")
        later = connect(REQUEST)
        assert answer(later).startswith(b"HTTP/1.1 200 ")
        later.sendall(sent)
        if sent:  # not the silence between two requests, which may be longer
            assert everything(later).startswith(b"HTTP/1.1 408 ")


def test_a_connection_that_has_asked_may_be_silent_and_one_that_is_answered_may_wait() -> None:
    with serving(SHORT) as (app, connect):
        silent, waiting = connect(REQUEST), connect(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
        assert answer(silent).endswith(b'"ok"')
        assert app.held.acquire(timeout=10)
        everything(connect())  # for as long as a header may take
        silent.sendall(REQUEST)
        assert answer(silent).endswith(b'"ok"')
        waiting.settimeout(0)
        with pytest.raises(BlockingIOError):  # it is open still, and has no answer
            waiting.recv(1)


def test_a_body_that_comes_fast_enough_has_more_time() -> None:
    with serving(SHORT) as (_, connect):
        one = connect(b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n" + bytes(19_999))
        everything(connect())
        everything(connect())
        one.sendall(b"0")
        assert answer(one).endswith(b"20000")


def test_an_answer_that_nobody_reads_ends() -> None:
    with serving(SHORT) as (app, connect):
        connect(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
        assert app.gone.wait(10)


def test_one_connection_too_many_closes_the_one_that_waited_longest() -> None:
    with serving(FEW) as (_, connect):
        silent = [connect(REQUEST[:i]) for i in (0, 1, 30)]
        asked = connect(REQUEST)
        assert answer(asked).endswith(b'"ok"')
        assert everything(silent[0]) == b""
        silent[2].sendall(REQUEST[30:])
        assert answer(silent[2]).endswith(b'"ok"')


def test_one_connection_too_many_is_refused_while_all_are_being_answered() -> None:
    with serving(FEW) as (app, connect):
        for _ in range(FEW.connections):
            connect(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
            assert app.held.acquire(timeout=10)
        assert everything(connect()).startswith(b"HTTP/1.1 503 ")


SERVE = """
import resource, socket, sys
from api.connections import Limits
from api.server import Server
from core.logs import set_up
from core.settings import Settings
from tests.api.test_connections import App
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
set_up("api", Settings())
server = Server(App(), "127.0.0.1", 0, limits=Limits(600, 600, 1000), drain=0, inherited=True)
server.run([socket.socket(fileno=int(sys.argv[1]))])
"""


def test_600_half_open_connections_at_256_descriptors_keep_nobody_out() -> None:
    listening = socket.create_server(("127.0.0.1", 0), backlog=1000)
    command = [sys.executable, "-c", SERVE, str(listening.fileno())]
    process = subprocess.Popen(command, pass_fds=[listening.fileno()], stderr=subprocess.PIPE, cwd=os.getcwd())
    try:
        with ExitStack() as stack:
            for _ in range(600):
                stack.enter_context(socket.create_connection(listening.getsockname(), timeout=10)).sendall(b"GET /")
            for _ in range(10):
                one = stack.enter_context(socket.create_connection(listening.getsockname(), timeout=10))
                one.sendall(REQUEST)
                assert answer(one).endswith(b'"ok"')
    finally:
        process.terminate()
        _, log = process.communicate(timeout=30)
        listening.close()
    assert b"out of system resource" not in log
    assert len(log) < 10_000
