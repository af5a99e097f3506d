"""Runs as MLflow's clients log them, call by call."""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi.testclient import TestClient

BASE = "/mlflow/api/2.0/mlflow"
Call = Callable[..., dict[str, Any]]


def started(call: Call, experiment: str, params: dict[str, str] | None = None, **tags: str) -> str:
    """Make a run and return its id."""
    given = [{"key": key, "value": value} for key, value in tags.items()]
    run = call("runs/create", experiment_id=experiment, start_time=1, tags=given)["run"]["info"]["run_id"]
    call("runs/log-batch", run_id=run, params=[{"key": key, "value": value} for key, value in (params or {}).items()])
    return str(run)


def log(call: Call, run: str, points: Sequence[tuple[int, Any]], metric: str = "val_acc") -> None:
    found = [{"key": metric, "value": v, "step": s, "timestamp": 1_000 + i} for i, (s, v) in enumerate(points)]
    call("runs/log-batch", run_id=run, metrics=found)


def end(call: Call, run: str, status: str = "FINISHED") -> None:
    call("runs/update", run_id=run, status=status, end_time=2)


def judged(client: TestClient, run: str) -> dict[str, Any]:
    """Return the run that another's points went to; its `series` by metric are steps and values."""
    tags = client.get(f"{BASE}/runs/get", params={"run_id": run}).json()["run"]["data"]["tags"]
    number = next(tag["value"] for tag in tags if tag["key"] == "initlab.run")
    found: dict[str, Any] = client.get(f"/runs/{number}").json()
    series = client.get(f"/runs/{number}/metrics").json()["series"]
    return found | {"series": {one["metric"]: (one["steps"], one["values"]) for one in series}}


def note(client: TestClient, run: str) -> str:
    tags = client.get(f"{BASE}/runs/get", params={"run_id": run}).json()["run"]["data"]["tags"]
    return next((str(tag["value"]) for tag in tags if tag["key"] == "initlab.note"), "")
