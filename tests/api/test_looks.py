"""Adaptive seeds over HTTP: what a preview foresees, and where the looks are told."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from core.analysis import look_levels

SPEC: dict[str, Any] = {
    "model": {"name": "mlp", "hidden": [8]},
    "optimizer": {"name": "adam", "lr": 0.01},
    "epochs": 1,
    "arms": [{"label": "zeros", "initializer": "zeros"}, {"label": "he", "initializer": "he_normal"}],
    "seeds": {"from": 4, "to": 12},
}


def test_a_preview_says_the_most_and_what_is_to_be_expected(client: TestClient) -> None:
    found = client.post("/experiments/preview", json=SPEC).json()
    adaptive = found["adaptive"]
    assert (found["runs_total"], adaptive["runs_least"], adaptive["comparisons"]) == (24, 8, 1)
    assert [(one["seeds"], one["level"]) for one in adaptive["looks"]] == [
        *zip((4, 7, 9, 12), look_levels((4, 7, 9, 12), 0.05), strict=True)
    ]
    none, medium, large, plain = adaptive["expected"]
    assert (none["power"], none["seeds"]) == (pytest.approx(0.05, abs=0.005), pytest.approx(12, abs=0.2))
    assert none["runs"] >= medium["runs"] > large["runs"] > plain["runs"] >= 8
    assert plain["power"] > 0.99 > large["power"] > medium["power"]
    assert large["steps"] == pytest.approx(large["runs"] * 15, rel=0.05)
    assert client.post("/experiments/preview", json=SPEC | {"seeds": 3}).json()["adaptive"] is None


def test_the_experiment_its_history_and_its_events_tell_the_looks(client: TestClient, work: Callable[[], int]) -> None:
    posted = client.post("/experiments", json=SPEC).json()
    assert (posted["looks"], posted["progress"]["runs_total"]) == ([], 24)
    here = posted["links"]["self"]
    work()
    found = client.get(here).json()
    first, *later = found["looks"]
    assert found["status"] == "succeeded"
    assert (first["seeds"], first["open"], first["arms"]) == (4, 1, ["zeros", "he"])
    last = (later or [first])[-1]
    [decided] = last["decided"]
    assert (decided["a"], decided["b"], decided["decision"], decided["n"]) == ("zeros", "he", "worse", last["seeds"])
    assert last["arms"] == []
    assert found["progress"]["runs_done"] == found["progress"]["runs_total"] == 2 * last["seeds"] < 24
    assert client.get("/experiments").json()["items"][0]["looks"] == found["looks"]
    history = client.get(f"{here}/history").json()["items"]
    assert [event["detail"] for event in history if event["kind"] == "look"] == found["looks"]
    told = [block.splitlines() for block in client.get(f"{here}/events").text.split("\n\n")]
    events = [[line.partition(": ")[2] for line in lines] for lines in told if "event: look" in lines]
    assert [json.loads(next(text for text in one if text.startswith("{"))) for one in events] == found["looks"]
    assert "event: state" in told[-2] or "event: state" in told[-1]
