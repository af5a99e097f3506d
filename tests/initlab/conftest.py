"""A server that answers by a script, so that what goes over the wire can be looked at."""

import copy
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from initlab import events, transport
from initlab.cli import main
from initlab.demo import service

EXPERIMENT: dict[str, Any] = {
    "id": 7,
    "name": "weights",
    "tags": [],
    "notes": "",
    "status": "succeeded",
    "cancelling": False,
    "paused": False,
    "errors": [],
    "created_at": "2026-11-21T06:00:00Z",
    "spec": {},
    "arms": [
        {
            "label": "zeros",
            "runs_done": 5,
            "runs_total": 5,
            "steps_done": 100,
            "steps_total": 100,
            "diverged": 0,
            "failed": 0,
        },
        {
            "label": "[red]<b>",
            "runs_done": 5,
            "runs_total": 5,
            "steps_done": 90,
            "steps_total": 100,
            "diverged": 2,
            "failed": 0,
        },
    ],
    "progress": {"steps_done": 190, "steps_total": 200, "runs_done": 10, "runs_total": 10, "eta_seconds": None},
    "links": {},
}
REPORT: dict[str, Any] = {
    "metric": "valid_accuracy",
    "arms": [
        {
            "label": "zeros",
            "n": 5,
            "mean": 0.1,
            "sd": 0.0,
            "ci_low": None,
            "ci_high": None,
            "diverged": 0,
            "rank_low": 1,
            "rank_high": 2,
        },
        {
            "label": "[red]<b>",
            "n": 3,
            "mean": 0.9,
            "sd": 0.01,
            "ci_low": 0.89,
            "ci_high": 0.91,
            "diverged": 2,
            "rank_low": 1,
            "rank_high": 1,
        },
    ],
    "comparisons": [],
    "verdict": {
        "headline": "Decided: [red]<b>; open: nothing.",
        "text": "[red]<b> is best.",
        "order": ["[red]<b>", "zeros"],
        "groups": [["[red]<b>"], ["zeros"]],
    },
    "warnings": [{"path": "", "message": "2 runs of [red]<b> diverged."}],
}

COHORT: dict[str, Any] = {
    "arms": ["zeros", "[red]<b>"],
    "seeds": [0, 1, 2, 3, 4],
    "lanes": 10,
    "threads": 1,
    "layout": "loop",
    "independent": True,
    "steps": 1500,
    "estimated_seconds": 42.4,
    "estimated_bytes": 2_500_000,
}
PREVIEW: dict[str, Any] = {
    "name": "weights",
    "spec": {},
    "arms": [
        {"label": "zeros", "runs": 10, "parameters": 1210, "steps": 1500},
        {"label": "[red]<b>", "runs": 10, "parameters": 1210, "steps": 1500},
    ],
    "seeds": list(range(10)),
    "runs_total": 20,
    "steps_total": 30_000,
    "notes": [],
    "plan": {
        "device": "cpu",
        "processes": 2,
        "estimated_seconds": 42.4,
        "estimated_bytes": 5_000_000,
        "numbers": "measured",
        "cohorts": [COHORT, COHORT | {"seeds": [5, 6, 7, 8, 9]}],
    },
}


@dataclass
class Asked:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class ScriptedServer:
    """Gives its answers in order, and the last one again and again; None is a connection cut without an answer."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], bytes] | None] = field(default_factory=list)

    def answer(self, status: int, body: Any = None, **headers: str) -> None:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        self.answers.append((status, {name.replace("_", "-"): value for name, value in headers.items()}, data))

    def cut(self) -> None:
        self.answers.append(None)

    def take(self, asked: Asked) -> tuple[int, dict[str, str], bytes] | None:
        self.asked.append(asked)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Clock:
    """A clock that moves only while somebody sleeps by it."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the service of `url` has its folder `service`, and its log."""
    return tmp_path_factory.mktemp("embedded")


@pytest.fixture(scope="package")
def url(home: Path) -> Iterator[str]:
    """Yield the address of a service on the embedded default: one for the tests of all files here."""
    others = set(psutil.Process().children())  # such as a fork server of tests before these
    with service(home) as here:
        began = set(psutil.Process().children()) - others
        yield here
        ours = began.union(*(one.children(recursive=True) for one in began))
    assert psutil.wait_procs(ours, timeout=30)[1] == []


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the client's retries: its pauses take no time."""
    found = Clock()
    for module in (transport, events):
        monkeypatch.setattr(module, "time", found)
    return found


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    script = ScriptedServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _reply(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            form = self.headers.get("Content-Type", "").startswith("multipart/")
            body = raw if form else json.loads(raw) if raw else None
            answer = script.take(Asked(self.command, self.path, dict(self.headers), body))
            if answer is None:
                self.close_connection = True
                return
            status, headers, body = answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = _reply  # noqa: N815 the base class's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's word
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    script.url = f"http://127.0.0.1:{http.server_address[1]}"
    monkeypatch.setenv("INITLAB_URL", script.url)
    monkeypatch.setenv("INITLAB_API_KEY", "")
    yield script
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def experiment() -> dict[str, Any]:
    """A finished experiment whose label looks like markup, as the server says it."""
    return copy.deepcopy(EXPERIMENT)


@pytest.fixture
def report() -> dict[str, Any]:
    """The report of that experiment."""
    return copy.deepcopy(REPORT)


@pytest.fixture
def preview() -> dict[str, Any]:
    """The preview of an experiment that was not posted, as the server says it."""
    return copy.deepcopy(PREVIEW)


@pytest.fixture
def run_cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command line as its entry point does: exit code, standard output, standard error."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["initlab", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run
