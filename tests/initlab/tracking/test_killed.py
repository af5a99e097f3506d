"""A client that is killed loses nothing that `log` had returned from, and nothing is there twice."""

import json
import subprocess
import sys
from itertools import pairwise
from typing import Any

import pytest

import initlab
from initlab import Client
from tests.initlab.tracking.killed import LAST, value
from tests.initlab.tracking.stand_in import StandIn

KILLS, FEW = 50, 10
METRICS: Any = {"loss": "min", "accuracy": "max"}


def check(lives: list[tuple[int, int]], series: dict[str, list[tuple[int, Any]]], kills: int) -> None:
    """Hold what the server has to what the children had logged."""
    assert len(lives) == kills + 1
    for (_, logged), (begun, _) in pairwise(lives):
        assert begun in (logged + 1, logged + 2)  # one more `log` may have written, and not returned
    total = lives[-1][1] + 1
    assert total > kills + LAST
    assert series["loss"] == [(step, value(step)) for step in range(total)]
    assert series["accuracy"][-1] == (total - 1, -value(total - 1))
    # The two values of one `log` are written together; a kill between the pages of a file may part them.
    assert total - kills <= len(series["accuracy"]) <= total
    assert [point for point in series["accuracy"] if point[1] != -value(point[0])] == []


def kill(experiment: int, kills: int) -> list[tuple[int, int]]:
    """Run the program; returns for each child the step that it began at and the last one that it had logged."""
    program = [sys.executable, "-m", "tests.initlab.tracking.killed", str(experiment), str(kills), "0"]
    answer = subprocess.run(program, capture_output=True, text=True, check=False, timeout=200)
    assert answer.returncode == 0, answer.stderr
    return [(begun, logged) for begun, logged in json.loads(answer.stdout)]


def test_kills_lose_and_double_nothing(stand_in: StandIn) -> None:
    experiment = initlab.external(["he"], 1, METRICS)
    check(kill(experiment.id, FEW), stand_in.runs[0].series, FEW)
    assert stand_in.runs[0].end == {"outcome": "completed"}
    assert stand_in.calls.count("POST /runs/1/points") > FEW / 2  # they were killed while they sent


@pytest.mark.thorough
@pytest.mark.service
def test_fifty_kills_lose_and_double_nothing_of_a_service(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same beside the service, which stores what it says that it has stored."""
    with Client(url, api_key="") as client:
        monkeypatch.setenv("INITLAB_URL", url)
        experiment = client.external(["he"], 1, {name: {"direction": "max", "per": "step"} for name in METRICS})
        lives = kill(experiment.id, KILLS)
        found = {one["metric"]: list(zip(one["steps"], one["values"], strict=True)) for one in experiment.metrics()}
        check(lives, found, KILLS)
        assert experiment.wait(progress=False, timeout=10).status == "succeeded"
