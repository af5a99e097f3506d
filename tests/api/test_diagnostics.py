"""Diagnostics over HTTP: there for whoever asks for them, and for nobody else."""

import threading
from contextlib import closing
from typing import Any

import pytest
from fastapi.testclient import TestClient

from core.experiments.worker.worker import Worker
from core.metrics.layers import DIAGNOSTICS
from core.settings import Settings
from tests.api.test_events import _parsed

SPEC = {
    "model": {"name": "mlp", "hidden": [8]},
    "arms": [{"label": "he", "initializer": "he_normal"}, {"label": "zeros", "initializer": "zeros"}],
    "seeds": 2,
    "epochs": 1,
    "diagnostics": {"every": 4},
}
CURVES = {"train_loss", "lr", "train_accuracy", "valid_loss", "valid_accuracy"}


@pytest.fixture
def done(client: TestClient, settings: Settings) -> str:
    """The path of a finished experiment, of 15 updates."""
    made = client.post("/experiments", json=SPEC)
    with closing(Worker(settings, threading.Event(), cores=1)) as worker:
        worker()
    return str(made.headers["location"])


def series(client: TestClient, path: str) -> list[dict[str, Any]]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["series"]
    return found


def test_series_of_layers_come_when_they_are_asked_for(client: TestClient, done: str) -> None:
    assert {one["metric"] for one in series(client, f"{done}/metrics")} == CURVES
    of_one = series(client, f"{done}/metrics?metric=weight_norm/fc1&seed=1")
    assert [(one["metric"], one["arm"], one["unit"], one["steps"]) for one in of_one] == [
        ("weight_norm/fc1", arm, "step", [0, 4, 8, 12]) for arm in ("he", "zeros")
    ]
    of_all = series(client, f"{done}/metrics?metric=weight_norm&metric=lr&arm=he&seed=0&first=5&last=8")
    assert [(one["metric"], one["steps"]) for one in of_all] == [
        ("lr", [5, 6, 7, 8]), ("weight_norm/fc1", [8]), ("weight_norm/fc2", [8]),
    ]  # fmt: skip
    whole = {one["metric"] for one in series(client, "/runs/1/metrics?diagnostics=true")}
    assert {metric.partition("/")[0] for metric in whole} == CURVES | set(DIAGNOSTICS) - {"activation_saturated"}
    (nothing,) = series(client, f"{done}/metrics?metric=update_ratio/fc1&arm=zeros&seed=0")
    assert nothing["values"] == [None] * 4  # of weights of 0
    for run in client.get(f"{done}/runs").json()["items"]:
        assert run["final"].keys() == CURVES


def test_a_misspelt_one_is_refused_with_the_nearest(client: TestClient, done: str) -> None:
    answer = client.get(f"{done}/metrics?metric=activation_sdt/fc1")
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["path"], error["known"][0]) == ("metric", "activation_std")


def test_a_stream_has_them_where_they_are_asked_for(client: TestClient, done: str) -> None:
    def metrics(query: str) -> dict[str, dict[str, Any]]:
        lines = iter(client.get(f"{done}/events{query}").text.splitlines())
        told = [data for kind, data, _ in _parsed(lines) if kind == "metric"]
        return {f"{data['run_id']} {data['metric']}": data for data in told}

    assert {key.split()[1] for key in metrics("")} == CURVES
    found = metrics("?metric=weight_norm/fc2&seed=0")
    assert [*found] == ["1 weight_norm/fc2", "3 weight_norm/fc2"]
    assert {(data["first"], data["every"], len(data["values"])) for data in found.values()} == {(0, 4, 4)}
    assert {"1 lr", "1 neuron_cosine/fc1"} <= metrics("?diagnostics=true").keys()


def test_the_report_says_what_is_wrong_with_which_arm(client: TestClient, done: str) -> None:
    found = client.get(f"{done}/report").json()["findings"]
    assert ("zeros", "symmetry", "fc1") in [(one["arm"], one["kind"], one["layer"]) for one in found]
    assert "he" not in {one["arm"] for one in found}
    text = client.get(f"{done}/report", headers={"Accept": "text/markdown"}).text
    assert "- zeros, symmetry, in 2 of 2 runs: " in text
    picture = client.get(f"{done}/plots/layers.png")
    assert picture.headers["content-type"] == "image/png"
