"""One process of the service, and connections to it."""

import http.client
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def started(
    module: str, *words: str, files: tuple[int, ...] = (), **environment: str
) -> Iterator[subprocess.Popen[str]]:
    """One process of the service, whose log is its stderr."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("INITLAB_") or k == "INITLAB_CACHE_DIR"}
    command = [sys.executable, "-m", module, *words]
    process = subprocess.Popen(command, env=clean | environment, stderr=subprocess.PIPE, text=True, pass_fds=files)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def hears(process: subprocess.Popen[str], words: str) -> None:
    """Wait for a line of its log."""
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        if words in line:
            return
        lines.append(line)
    raise AssertionError("".join(lines))


def connect(port: int, until_closed: ExitStack) -> http.client.HTTPConnection:
    """A connection that is kept."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    until_closed.callback(connection.close)
    connection.connect()
    return connection


def ask(connection: http.client.HTTPConnection, path: str) -> tuple[int, str | None]:
    """The status, and what is said of the connection; a closed one is not opened again."""
    connection.auto_open = 0
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.headers["Connection"]


def accepts(port: int) -> bool:
    """Whether somebody listens."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def forwarding(gate: socket.socket, to: tuple[str, int]) -> Iterator[None]:
    """Whoever connects to the gate reaches the other address."""
    with ExitStack() as open_ones:

        def forward(source: socket.socket, target: socket.socket) -> None:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

        def let_in() -> None:
            while True:
                try:
                    client, _ = gate.accept()
                except OSError:  # closed: the end
                    return
                far = socket.create_connection(to)
                for pair in ((client, far), (far, client)):
                    threading.Thread(target=_quietly, args=(forward, *pair), daemon=True).start()
                open_ones.callback(client.close)
                open_ones.callback(far.close)

        thread = threading.Thread(target=let_in, daemon=True)
        thread.start()
        yield
        gate.shutdown(socket.SHUT_RDWR)
        thread.join()


def _quietly(call: Callable[..., None], *words: socket.socket) -> None:
    try:
        call(*words)
    except OSError:  # either end has gone
        return
