"""The command that opens the page, and those about workers."""

import json
from collections.abc import Callable
from typing import Any

import pytest

RunCli = Callable[..., tuple[int, str, str]]
WORKERS: dict[str, Any] = {
    "items": [
        {"name": "[red]lab-71-4f1a", "host": "[red]lab", "process": 71, "devices": ["cpu"], "queues": ["cpu", "big"],
         "machine": "m", "version": "0.2.0", "draining": True, "alive": True, "last_seen": "2026-11-29T06:00:00Z",
         "experiments": [3, 5]},
        {"name": "old-9-0000", "host": "old", "process": 9, "devices": [], "queues": [], "machine": None,
         "version": "0.1.0", "draining": False, "alive": False, "last_seen": "2026-11-29T05:59:00Z", "experiments": []},
    ],
    "queue": {"experiments": {"running": 2}, "cohorts": {"queued": 1200, "running": 1, "paused": 4},
              "waited_seconds": 721.0},
}  # fmt: skip


def test_workers_are_shown_with_what_they_train(server: Any, run_cli: RunCli) -> None:
    server.answer(200, WORKERS)
    code, out, err = run_cli("workers")
    assert (code, err) == (0, "")
    rows = [" ".join(line.split()) for line in out.splitlines() if line.strip(" ─")]
    assert rows[1:] == [
        "[red]lab-71-4f1a 3, 5 cpu cpu, big 0.2.0 2026-11-29T06:00:00Z, draining",
        "old-9-0000 nothing 0.1.0 2026-11-29T05:59:00Z, lost",
        "1 cohort is trained, 1,200 wait, the longest for 12 min",
    ]
    assert json.loads(run_cli("workers", "--json")[1]) == WORKERS
    assert {one.path for one in server.asked} == {"/workers"}


def test_where_nobody_works_nothing_waits(server: Any, run_cli: RunCli) -> None:
    server.answer(200, {"items": [], "queue": {"experiments": {}, "cohorts": {}, "waited_seconds": 0.0}})
    assert run_cli("workers")[1] == "no workers\n0 cohorts are trained, 0 wait\n"


def test_a_worker_is_drained_by_its_name(server: Any, run_cli: RunCli) -> None:
    server.answer(202, WORKERS["items"][0])
    assert run_cli("workers", "drain", "lab a-71-4f1a")[1].startswith("lab a-71-4f1a takes nothing more, and ends")
    assert json.loads(run_cli("workers", "drain", "x", "--json")[1]) == WORKERS["items"][0]
    assert [(one.method, one.path) for one in server.asked] == [
        ("POST", "/workers/lab%20a-71-4f1a/drain"),
        ("POST", "/workers/x/drain"),
    ]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a browser was asked to show."""
    shown: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: shown.append(address) or True)
    return shown


def test_open_shows_the_page_in_a_browser(
    server: Any, experiment: dict[str, Any], run_cli: RunCli, opened: list[str]
) -> None:
    server.answer(200, experiment)
    address = f"{server.url}/#/experiments/7"
    assert run_cli("open", "7") == (0, f"{address}\n", "")
    assert run_cli("open", "-q") == (0, "", "")
    assert opened == [address, f"{server.url}/"]
    assert json.loads(run_cli("open", "7", "--json")[1]) == {"url": address}
    assert len(opened) == 2


def test_open_says_where_there_is_no_browser(server: Any, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webbrowser.open", lambda _: False)
    assert run_cli("open") == (0, f"no browser is found here: {server.url}/\n", "")


def test_open_knows_whether_there_is_such_an_experiment(server: Any, run_cli: RunCli, opened: list[str]) -> None:
    server.answer(404, {"title": "Not found", "detail": "there is no experiment 8"})
    assert run_cli("open", "8")[0] == 2
    assert opened == []
