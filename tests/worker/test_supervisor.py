"""When the one-command service says that it is ready."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from worker.supervisor import _announce, _bound

HANGS_UP = """
import fcntl, os, signal, termios, time
from worker.supervisor import _has_terminal

said = []

def say(*_):
    said.append(_has_terminal())
    os.write(1, b"%r\\n" % said[-1])  # a print would not bear a second signal

fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGHUP, say)
say()
os.kill(os.getpid(), signal.SIGHUP)  # somebody's
while len(said) < 3:  # the kernel's
    time.sleep(0.01)
"""


class Health(ThreadingHTTPServer):
    """Answers with each status once, and with the last one from then on."""

    statuses: tuple[str, ...] = ("down", "degraded", "degraded", "ready")
    asked = 0


class Answer(BaseHTTPRequestHandler):
    server: Health

    def do_GET(self) -> None:
        status = self.server.statuses[min(self.server.asked, len(self.server.statuses) - 1)]
        self.server.asked += 1
        self.send_response(503 if status == "down" else 200)
        self.end_headers()
        self.wfile.write(json.dumps({"status": status}).encode())

    def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002 the base's name


@pytest.fixture
def health() -> Iterator[Health]:
    server = Health(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_is_ready_when_its_worker_is(health: Health, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"http://127.0.0.1:{health.server_port}"
    _announce(url, threading.Event(), as_json=False)
    assert health.asked == 4
    assert capsys.readouterr().out == f"initlab is ready at {url}\n"
    _announce(url, threading.Event(), as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["url"], told["pid"]) == (url, os.getpid())


@pytest.mark.parametrize(
    ("host", "address"), [("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1"), ("::1", "::1"), ("::", "::")]
)
def test_it_listens_where_it_was_told_to(host: str, address: str) -> None:
    with _bound(host, 0) as bound:
        assert bound.getsockname()[0] == address
        assert bound.getsockname()[1] > 0


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"127.0.0.1:{port}: Address already in use"):
            _bound("127.0.0.1", port)


def test_a_closed_terminal_is_told_from_a_signal_that_somebody_sent() -> None:
    """Both are SIGHUP: one means that the service leaves, the other a rolling restart."""
    ours, its = os.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", HANGS_UP],
        stdout=subprocess.PIPE,
        stdin=its,
        text=True,
        start_new_session=True,
    )
    os.close(its)
    assert child.stdout is not None
    assert [child.stdout.readline() for _ in range(2)] == ["True\n", "True\n"]
    os.close(ours)
    assert child.communicate(timeout=10)[0] == "False\n"


def test_an_open_address_without_keys_is_refused_before_anything_starts(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "worker.supervisor", "--host", "0.0.0.0", "--port", "0"]
    environment = {"INITLAB_DATA_DIR": str(tmp_path)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()  # of no worker, and no API
    assert "0.0.0.0 can be reached from other machines" in line
