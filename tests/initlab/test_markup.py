"""What looks like rich's markup is shown as it is, in a file and in a terminal, whatever command shows it."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from initlab import display

RunCli = Callable[..., tuple[int, str, str]]
ODD = ("[x]", "[/x]", "[red]b[/red]", "U[0, 1)", "layers[name]", "[link=https://lab.example]", ":x:")
TEXT = " ".join(ODD)
ENTRY = {
    "kind": "initializers",
    "name": TEXT,
    "aliases": [TEXT],
    "formula": TEXT,
    "source": TEXT,
    "summary": TEXT,
    "parameters": {"properties": {TEXT: {"type": TEXT, "default": TEXT}, "b": {"enum": [TEXT]}}},
}
FINDING = {"kind": "finding", "name": TEXT, "label": TEXT, "summary": TEXT, "plugin": TEXT, "looks_at": TEXT,
           "bounds": {TEXT: {"value": 1, "meaning": TEXT}}, "explains": [TEXT]}  # fmt: skip
HAPPENED = {"id": 1, "at": TEXT, "kind": "lost", "cohort": 1, "attempt": 1, "detail": {"why": TEXT, "log": [TEXT]}}
DATASET = {
    "name": TEXT, "kind": TEXT, "examples": 1, "valid_examples": 0, "inputs": [1], "task": TEXT, "outputs": 1,
    "classes": [TEXT], "options": {TEXT: TEXT}, "sha256": TEXT, "bytes": 1, "created_at": TEXT,
    "notes": [{"path": TEXT, "message": TEXT}],
    "columns": [{"name": TEXT, "kind": TEXT, "categories": [TEXT]}],
}  # fmt: skip
PREVIEW: dict[str, Any] = {
    "columns": [TEXT, TEXT], "columns_total": 1, "rows": [[TEXT, None]], "pictures": [], "experiments": [],
    "classes": [{"label": TEXT, "examples": 1, "held_out": 0}],
    "targets": [{"name": TEXT, "min": 0, "mean": None, "max": 1}],
}  # fmt: skip
HOOK = {"id": 1, "url": TEXT, "payload": TEXT, "created_at": TEXT}
DELIVERY = {"id": 1, "event": TEXT, "status": TEXT, "attempts": 1, "status_code": None, "error": TEXT, "due_at": None,
            "created_at": TEXT}  # fmt: skip


def _experiment(experiment: dict[str, Any]) -> dict[str, Any]:
    arms = [arm | {"label": TEXT} for arm in experiment["arms"]]
    warnings = [{"path": TEXT, "message": TEXT}]
    told = {"name": TEXT, "tags": [TEXT], "notes": TEXT, "errors": [TEXT], "arms": arms, "warnings": warnings}
    return experiment | told | {"created_at": TEXT, "started_at": TEXT}


def _page(item: Any) -> dict[str, Any]:
    return {"items": [item], "next": None}


SHOWN: dict[str, Callable[[dict[str, Any]], list[Any]]] = {
    "catalog": lambda _: [{TEXT: [ENTRY]}],
    "catalog initializers": lambda _: [_page(ENTRY)],
    "catalog initializers zeros": lambda _: [ENTRY],
    "catalog findings": lambda _: [_page(FINDING)],
    "catalog findings x": lambda _: [FINDING],
    "list": lambda one: [_page(one)],
    "show 7": lambda one: [one],
    "edit 7 --name x": lambda one: [one, one],
    "history 7": lambda one: [one, _page(HAPPENED)],
    "cancel --tag a": lambda _: [{"done": [], "refused": [{"reason": TEXT}], "next": None}],
    "report 7 --format md": lambda one: [one, TEXT],
    "plot 7": lambda one: [one, _page({"name": TEXT, "summary": TEXT})],
    "datasets list": lambda _: [_page(DATASET)],
    "datasets show x": lambda _: [DATASET, PREVIEW],
    "webhooks list": lambda _: [_page(HOOK)],
    "webhooks deliveries 1": lambda _: [_page(DELIVERY)],
}
"""By the command, what the server answers to what it asks."""


@pytest.mark.parametrize("terminal", [False, True], ids=["file", "terminal"])
@pytest.mark.parametrize("words", SHOWN)
def test_it_is_shown_as_it_is(
    server: Any,
    experiment: dict[str, Any],
    run_cli: RunCli,
    monkeypatch: pytest.MonkeyPatch,
    words: str,
    terminal: bool,
) -> None:
    monkeypatch.setattr(display, "PLAIN_WIDTH", 2000)  # so that no cell is folded
    monkeypatch.setenv("COLUMNS", "2000")
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    for answer in SHOWN[words](_experiment(experiment)):
        server.answer(200, answer.encode() if isinstance(answer, str) else answer)
    code, out, err = run_cli(*words.split())
    assert (code, err) == (0, "")
    shown = [line for line in re.sub(r"\x1b\[[0-9;]*m", "", out).splitlines() if "lab.example" in line]
    assert shown
    assert [line for line in shown if TEXT not in line] == []


@pytest.mark.parametrize("words", [("show", "7"), ("submit", "-")])
def test_a_refusal_is_told_as_it_is(server: Any, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch, words: Any) -> None:
    monkeypatch.setattr("sys.stdin.read", lambda: "{}", raising=False)
    server.answer(422, {"title": TEXT, "detail": TEXT, "errors": [{"path": TEXT, "message": TEXT, "known": [TEXT]}]})
    code, _, err = run_cli(*words)
    assert code == 2
    assert TEXT in err
