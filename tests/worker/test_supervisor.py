"""When the one-command service says that it is ready."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from worker.supervisor import _announce


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
    _announce(url, threading.Event())
    assert health.asked == 4
    assert capsys.readouterr().out == f"initlab is ready at {url}\n"
