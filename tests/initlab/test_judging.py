"""Comparisons across experiments from Python and the command line, against canned answers."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from initlab import Client
from initlab.errors import ClientError

RunCli = Callable[..., tuple[int, str, str]]
ARMS = {"arms": [{"experiment": 4, "arm": "he"}, {"experiment": 6, "arm": "a/b c"}]}


def test_arms_are_named_in_three_ways(server: Any, report: dict[str, Any]) -> None:
    server.answer(200, report | {"paired": True, "reason": "paired as trained"})
    found = Client().compare(["4/he", "6/a/b c"])
    assert found["paired"] is True
    assert found.verdict == "[red]<b> is best."
    Client().compare([(4, "he"), {"experiment": 6, "arm": "a/b c"}], "valid_loss", margin=0.01, alpha=0.1)
    assert [(one.method, one.path, one.body) for one in server.asked] == [
        ("POST", "/comparisons", ARMS),
        ("POST", "/comparisons", ARMS | {"metric": "valid_loss", "margin": 0.01, "alpha": 0.1}),
    ]


@pytest.mark.parametrize("said", ["he", "4", "4/", "/he", "x/he", "-4/he", "²/he"])
def test_what_names_no_arm_is_refused_before_anything_is_sent(server: Any, said: str) -> None:
    with pytest.raises(ClientError, match="as 4/he"):
        Client().compare([said, "6/he"])
    assert server.asked == []


def test_the_command_prints_the_report_or_json(server: Any, report: dict[str, Any], run_cli: RunCli) -> None:
    server.answer(200, b"# 4/he, 6/he\n\n**Decided: nothing**\n")
    code, out, err = run_cli("compare", "4/he", "6/a/b c", "--margin", "0.01")
    assert (code, err) == (0, "")
    assert "Decided: nothing" in out
    assert server.asked[0].body == ARMS | {"margin": 0.01}
    assert server.asked[0].headers["Accept"] == "text/markdown"
    server.answers.clear()
    server.answer(200, report)
    assert json.loads(run_cli("compare", "4/he", "6/he", "--json")[1]) == report
    assert run_cli("compare", "4/he", "six")[0] == 2


STUDY: dict[str, Any] = {
    "name": "chain", "project": "default", "alpha": 0.05, "experiments": 2, "kept": 1, "undecided": 1,
    "spent": 0.0145, "left": 0.0355, "following": 0.024,
}  # fmt: skip
VERDICTS = [
    {"experiment_id": 4, "name": "[red]<b>", "status": "succeeded", "alpha": 0.0219, "level": 0.0109, "position": 1,
     "decision": "keep", "arm": "new", "p": 0.00012, "decided_at": None},
    {"experiment_id": 5, "name": None, "status": None, "alpha": 0.0072, "level": 0.0036, "position": 2,
     "decision": None, "arm": None, "p": None, "decided_at": None},
]  # fmt: skip


def test_studies_are_listed_and_one_is_shown_with_its_verdicts(server: Any, run_cli: RunCli) -> None:
    server.answer(200, {"items": [STUDY]})
    code, out, err = run_cli("studies")
    assert (code, err) == (0, "")
    assert " ".join(out.split()).endswith("chain default 2 1 1 0.015 0.035 0.05")
    assert json.loads(run_cli("studies", "--json")[1]) == [STUDY]
    assert run_cli("studies", "--project", "nlp")[1] == "no studies\n"
    server.answers.clear()
    server.answer(200, STUDY | {"verdicts": VERDICTS})
    code, out, err = run_cli("studies", "chain", "--project", "nlp")
    rows = [" ".join(line.split()) for line in out.splitlines() if line.strip(" ─")]
    assert rows == [
        "id experiment judged at p verdict arm",
        "4 [red]<b> 0.022 0.00012 keep new",
        "5 (deleted) 0.0072 - -",
        "spent 0.015, left 0.035 of alpha 0.05; the next experiment is judged at 0.024",
    ]
    assert server.asked[-1].path == "/studies/chain?project=nlp"
    assert Client().study("chain") == STUDY | {"verdicts": VERDICTS}
    assert server.asked[-1].path == "/studies/chain"


def test_a_study_is_as_wide_as_the_terminal(server: Any, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    server.answer(200, STUDY | {"verdicts": VERDICTS})
    out = run_cli("studies", "chain")[1]
    assert max(map(len, out.splitlines())) <= 40
    assert "the next experiment is judged at 0.024" in " ".join(out.split())
