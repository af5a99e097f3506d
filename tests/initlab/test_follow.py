"""The live bars, drawn into a terminal that is a string."""

import io
from typing import Any

from rich.console import Console

from initlab import Client
from initlab.follow import follow


def screen(server: Any, answers: list[dict[str, Any]], height: int = 40) -> str:
    for answer in answers:
        server.answer(200, answer)
    out = Console(file=io.StringIO(), force_terminal=True, width=100, height=height, markup=False, _environ={})
    follow(Client().experiment(7), out)
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def test_each_arm_has_a_bar_and_its_label_is_text(server: Any, experiment: dict[str, Any]) -> None:
    shown = screen(server, [experiment | {"status": "running"}, experiment])
    last = shown.split("zeros")[-1]
    assert "[red]<b>" in last
    assert "100/100 steps" in last
    assert "5/5 runs, 2 diverged" in last
    assert "succeeded" in last


def test_more_arms_than_lines_are_one_bar(server: Any, experiment: dict[str, Any]) -> None:
    shown = screen(server, [experiment], height=4)
    assert "all arms" in shown
    assert "zeros" not in shown
