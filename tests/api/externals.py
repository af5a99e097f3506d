"""External experiments for tests: a spec, and the numbers of its runs."""

from typing import Any

import numpy as np
from fastapi.testclient import TestClient

EXTERNAL: dict[str, Any] = {
    "kind": "external",
    "name": "theirs",
    "arms": [{"label": "he", "config": {"initializer": "he", "layers": [64, 64]}}, {"label": "zeros"}],
    "seeds": 4,
    "metrics": [
        {"name": "valid_accuracy", "direction": "max"},
        {"name": "train_loss", "direction": "min", "per": "step"},
        {"name": "val/lr", "per": "step"},
    ],
    "outcome": "valid_accuracy",
}


def posted(client: TestClient, **changes: Any) -> dict[str, Any]:
    """Post an external experiment and return its answer."""
    answer = client.post("/experiments", json=EXTERNAL | changes)
    assert answer.status_code == 202, answer.text
    made: dict[str, Any] = answer.json()
    return made


def runs_of(client: TestClient, experiment: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the runs of an experiment, arm by arm."""
    found: list[dict[str, Any]] = client.get(f"/experiments/{experiment['id']}/runs").json()["items"]
    return found


def points(client: TestClient, run: int, status: int = 200, **columns: Any) -> dict[str, Any]:
    """Send columns, each a list of values from place 0 on or a whole column; return the answer."""
    body = {name: one if isinstance(one, dict) else {"first": 0, "values": one} for name, one in columns.items()}
    answer = client.post(f"/runs/{run}/points", json={"points": body})
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def finish(client: TestClient, run: int, outcome: str = "completed", status: int = 200, **more: Any) -> dict[str, Any]:
    """End a run and return the answer."""
    answer = client.post(f"/runs/{run}/finish", json={"outcome": outcome} | more)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def trained(client: TestClient, experiment: dict[str, Any], gap: float = 0.1) -> None:
    """Train all runs: the first arm is better by so much than the second, in every seed."""
    for run in runs_of(client, experiment):
        noise = np.random.default_rng(run["id"]).normal(0, 0.01)
        best = 0.9 + noise - gap * (run["arm"] != experiment["spec"]["arms"][0]["label"])
        loss = np.linspace(2, 1 - best, 20)
        points(client, run["id"], valid_accuracy=[best / 2, best - 0.1, best - 0.01, best], train_loss=loss.tolist())
        finish(client, run["id"])
