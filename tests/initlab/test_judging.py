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
