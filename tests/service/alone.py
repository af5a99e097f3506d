"""One process of the service, and connections to it."""

import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def started(
    module: str, *words: str, files: tuple[int, ...] = (), **environment: str
) -> Iterator[subprocess.Popen[str]]:
    """One process of the service, whose log is its stderr; with --json it says on stdout that it is ready."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("INITLAB_") or k == "INITLAB_CACHE_DIR"}
    command = [sys.executable, "-m", module, *words]
    stdout = subprocess.PIPE if "--json" in words else None
    process = subprocess.Popen(
        command, env=clean | environment, stdout=stdout, stderr=subprocess.PIPE, text=True, pass_fds=files
    )
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
