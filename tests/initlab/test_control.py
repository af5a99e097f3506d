"""Pause, resume, retry and history on the command line, against canned answers."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from initlab.happenings import sentence

RunCli = Callable[..., tuple[int, str, str]]


def test_pause_and_resume_say_what_it_does_then(server: Any, experiment: dict[str, Any], run_cli: RunCli) -> None:
    waiting = experiment | {"status": "queued", "paused": True}
    server.answer(200, experiment)
    server.answer(202, waiting)
    assert run_cli("pause", "7")[:2] == (0, "experiment 7 is paused. Go on with: initlab resume 7\n")
    server.answers[:] = []
    server.answer(200, experiment)
    server.answer(202, waiting | {"status": "running"})
    assert "its workers keep where they are and let go of it." in run_cli("pause", "7")[1]
    server.answers[:] = []
    server.answer(200, waiting)
    done = experiment["progress"] | {"runs_done": 3}
    server.answer(202, experiment | {"status": "queued", "progress": done})
    said = "experiment 7 is queued, with 7 of 10 runs to train; follow it with: initlab watch 7\n"
    assert run_cli("resume", "7")[:2] == (0, said)
    assert [(asked.method, asked.path) for asked in server.asked if asked.method == "POST"] == [
        ("POST", "/experiments/7/pause"),
        ("POST", "/experiments/7/pause"),
        ("POST", "/experiments/7/resume"),
    ]


def test_retry_says_what_is_trained_again(server: Any, experiment: dict[str, Any], run_cli: RunCli) -> None:
    failed = experiment | {"status": "failed"}
    done = experiment["progress"] | {"runs_done": 9}
    server.answer(200, failed)
    server.answer(202, experiment | {"status": "running", "progress": done})
    said = "experiment 7 is running, with 1 of 10 runs to train; follow it with: initlab watch 7\n"
    assert run_cli("retry", "7")[:2] == (0, said)
    server.answers[:] = []
    server.answer(200, failed)
    server.answer(202, experiment | {"status": "queued", "paused": True, "progress": done})
    assert run_cli("retry", "7")[1].endswith("paused: go on with: initlab resume 7\n")


@pytest.mark.parametrize("command", ["retry", "pause", "history"])
def test_what_cannot_be_done_now_is_said_in_a_sentence(
    server: Any, experiment: dict[str, Any], run_cli: RunCli, command: str
) -> None:
    server.answer(200, experiment)
    server.answer(409, {"title": "Conflict", "detail": "experiment 7 is succeeded, and none of its runs has failed"})
    code, out, err = run_cli(command, "7")
    assert (code, out) == (2, "")
    assert err == "Conflict (409): experiment 7 is succeeded, and none of its runs has failed\n"


def test_show_says_when_it_is_paused(server: Any, experiment: dict[str, Any], run_cli: RunCli) -> None:
    server.answer(200, experiment | {"status": "running", "paused": True})
    assert "experiment 7: running, paused" in run_cli("show", "7")[1]
    server.answers[:] = []
    server.answer(200, experiment | {"status": "running", "paused": True, "cancelling": True})
    assert "experiment 7: running, being cancelled" in run_cli("show", "7")[1]


HISTORY = [
    ("accepted", None, None, {"runs": 1200, "cohorts": 1}, "accepted: 1,200 runs in 1 cohort"),
    (
        "claimed", 4, 2, {"worker": "process 3 on host", "runs": 10, "step": 0},
        "cohort 4, attempt 2: taken by process 3 on host: 10 runs, from the beginning",
    ),
    ("fell_back", 4, 2, {"step": 1500}, "cohort 4, attempt 2: a checkpoint could not be used: on from update 1,500"),
    ("released", 4, 2, {"step": 1500}, "cohort 4, attempt 2: given back, to go on from update 1,500"),
    ("lost", 4, 3, {"step": 0}, "cohort 4, attempt 3: its worker was lost; to go on from the beginning"),
    ("halved", 4, 3, {"into": {"queued": 5}}, "cohort 4, attempt 3: its runs were parted, and each part starts over"),
    (
        "look", None, None, {
            "seeds": 5, "open": 1, "arms": ["he", "glorot"],
            "decided": [
                {"a": "he", "b": "zeros", "decision": "better"}, {"a": "a", "b": "b", "decision": "equivalent"},
            ],
        },
        'the arms were compared after 5 seeds: "he" is better than "zeros"; "a" is equivalent to "b"; '
        '1 comparison open; more seeds for "he", "glorot"',
    ),
    ("ended", 4, 4, {"status": "failed"}, "cohort 4, attempt 4: ended: failed"),
    (
        "cancelling", None, None, {"running": 1, "queued": 2},
        "cancelled by the user: 2 cohorts ended at once, 1 cohort told to stop",
    ),
    ("paused", None, None, {}, "paused by the user"),
    ("resumed", None, None, {}, "resumed by the user"),
    ("retried", None, None, {"runs": 1, "cohorts": 1}, "tried again by the user: 1 run in 1 cohort"),
    ("[red]{moved}", None, None, {"step": 3}, "[red]{moved}"),
]  # fmt: skip


def _event(kind: str, cohort: int | None, attempt: int | None, detail: dict[str, Any]) -> dict[str, Any]:
    return {"id": 1, "at": "2026-11-21T06:00:00Z", "kind": kind, "cohort": cohort, "attempt": attempt, "detail": detail}


@pytest.mark.parametrize(("kind", "cohort", "attempt", "detail", "words"), HISTORY)
def test_every_event_is_a_sentence(
    kind: str, cohort: int | None, attempt: int | None, detail: dict[str, Any], words: str
) -> None:
    assert sentence(_event(kind, cohort, attempt, detail)) == words
    assert sentence(_event(kind, cohort, attempt, {}))  # a server may tell less


def test_a_history_has_when_what_and_why(server: Any, experiment: dict[str, Any], run_cli: RunCli) -> None:
    lost = _event("lost", 4, 3, {"step": 0, "why": "its worker is gone", "log": ["Killed [1]", "bye"]})
    strange = _event("[red]{moved}", None, None, {})
    server.answer(200, experiment)
    server.answer(200, {"items": [lost], "next": 3})
    server.answer(200, {"items": [strange], "next": None})
    code, out, err = run_cli("history", "7")
    assert (code, err) == (0, "")
    rows = [" ".join(line.split()) for line in out.splitlines() if line.strip(" ─")]
    assert rows == [
        "when what why",
        "2026-11-21T06:00:00Z cohort 4, attempt 3: its worker was lost; to go on from the beginning its worker is gone",
        "Killed [1]",
        "bye",
        "2026-11-21T06:00:00Z [red]{moved}",
    ]
    assert [asked.path for asked in server.asked[1:]] == ["/experiments/7/history", "/experiments/7/history?cursor=3"]
    server.answers[:] = []
    server.answer(200, experiment)
    server.answer(200, {"items": [lost, strange], "next": None})
    assert json.loads(run_cli("history", "7", "--json")[1]) == [lost, strange]


def test_environments_stand_side_by_side(server: Any, experiment: dict[str, Any], run_cli: RunCli) -> None:
    here = {"packages": {"torch": "2.13.0"}, "python": "3.12.1", "gpu": None, "settings": {"OMP_NUM_THREADS": None}}
    other = here | {"packages": {"torch": "2.14.0"}, "settings": {"OMP_NUM_THREADS": "4"}}
    attempt = {"cohort": 1, "attempt": 1, "at": "2026-11-21T06:00:00Z", "worker": "vm"}
    items = [{"environment": here, "attempts": [attempt] * 2}, {"environment": other, "attempts": [attempt]}]
    server.answer(200, experiment)
    server.answer(200, {"items": items})
    code, out, err = run_cli("environments", "7")
    assert (code, err) == (0, "")
    assert [" ".join(line.split()) for line in out.splitlines() if line.strip(" ─")] == [
        "environment 1 environment 2",
        "attempts 2 1",
        "python 3.12.1 3.12.1",
        "torch 2.13.0 2.14.0",
        "OMP_NUM_THREADS - 4",
    ]
    assert server.asked[-1].path == "/experiments/7/environments"
    server.answers[:] = []
    server.answer(200, experiment)
    server.answer(200, {"items": items})
    assert json.loads(run_cli("environments", "7", "--json")[1]) == items
    server.answers[:] = []
    server.answer(200, experiment)
    server.answer(200, {"items": []})
    assert run_cli("environments", "7")[1] == "nothing is recorded\n"
