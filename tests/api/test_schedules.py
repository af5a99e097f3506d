"""Schedules as they arrive: what cannot be one is refused when it is posted, at once and with its path."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.core.schedules.hostile import HOSTILE

PLATEAU = {"name": "reduce_on_plateau", "patience": 0, "factor": 0.5}


def refusal(client: TestClient, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    answer = client.post(path, content=json_of(body), headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text[:500]
    errors: list[dict[str, Any]] = answer.json()["errors"]
    return errors


def json_of(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


@pytest.mark.parametrize("name", ["lambda", "multiplicative"])
@pytest.mark.parametrize("path", ["/experiments", "/previews/schedule"])
def test_an_expression_that_is_not_arithmetic_is_refused(client: TestClient, path: str, name: str) -> None:
    """Where it is read: had it been computed, its job would have come to its end by time, or by another path."""
    refusal(client, path, {"schedule": {"name": name, "fn": "t +"}})
    for what, fn in HOSTILE.items():
        (problem,) = refusal(client, path, {"schedule": {"name": name, "fn": fn}})
        assert problem["path"] == "schedule.fn", what
        assert len(problem["message"]) < 200, what


@pytest.mark.parametrize(
    ("schedule", "path"),
    [
        ({"name": "lambda", "fn": "1 - t / 100"}, "schedule"),
        ({"name": "lambda", "fn": "1 / (t - 50)"}, "schedule"),
        ({"name": "lambda", "fn": "9 ** 9 ** t"}, "schedule"),
        ({"name": "exponential", "gamma": 1e9}, "schedule"),
        ({"name": "cyclic", "max_lr": 1e-6, "step_size_up": 1, "mode": "exp_range", "gamma": 1.1}, "schedule"),
        ({"name": "linear_warmup", "warmup_steps": 1, "after": {"name": "lambda", "fn": "-1"}}, "schedule"),
        ({"name": "linear_warmup", "warmup_steps": 1, "after": "cosin"}, "schedule.after.name"),
        ({"name": "multistep", "milestones": [30, 20]}, "schedule.milestones"),
        ({"name": "piecewise", "boundaries": [1, 2], "values": [0.1, 0.2]}, "schedule"),
        ({"name": "cosine", "T_max": 0}, "schedule.T_max"),
        ({"name": "sequential", "parts": ["constant", PLATEAU], "milestones": [3]}, "schedule.parts[1]"),
    ],
    ids=str,
)
def test_what_gives_no_rate_is_refused_where_it_is_posted(client: TestClient, schedule: Any, path: str) -> None:
    arm = {"label": "a", "schedule": schedule}
    for where, body in (
        ("/experiments", {"schedule": schedule}),
        ("/previews/schedule", {"schedule": schedule, "steps": 150}),
    ):
        assert [problem["path"] for problem in refusal(client, where, body)] == [path]
    found = refusal(client, "/experiments", {"arms": [{"label": "fine"}, arm]})
    assert [problem["path"] for problem in found] == [f"arms[1].{path}"]


def test_metrics_are_reported_between_the_epochs(client: TestClient) -> None:
    body = {"schedule": PLATEAU, "lr": 0.8, "steps": 6, "metrics": [1.0, 1.0, None, 0.5]}
    assert client.post("/previews/schedule", json=body).json()["lr"] == [0.8, 0.8, 0.4, 0.2, 0.2, 0.2]
    body |= {"steps": 7, "steps_per_epoch": 2}
    assert client.post("/previews/schedule", json=body).json()["lr"] == [0.8, 0.8, 0.8, 0.8, 0.4, 0.4, 0.2]
    body.pop("metrics")
    assert client.post("/previews/schedule", json=body).json()["lr"] == [0.8] * 7


def test_metrics_are_refused_where_nobody_hears_them(client: TestClient) -> None:
    body: dict[str, Any] = {"schedule": "cosine", "steps": 4, "metrics": [1.0]}
    assert refusal(client, "/previews/schedule", body)[0]["path"] == "metrics"
    body = {"schedule": PLATEAU, "steps": 7, "steps_per_epoch": 2, "metrics": [1.0] * 5}
    assert refusal(client, "/previews/schedule", body)[0]["path"] == "metrics"
    body = {"schedule": PLATEAU, "metrics": [1.0, "low"]}
    assert refusal(client, "/previews/schedule", body)[0]["path"].startswith("metrics[1]")
