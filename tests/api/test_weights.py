"""Weights that runs have kept: downloaded, loaded, counted against quotas, and gone with their experiment."""

import hashlib
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from fastapi.testclient import TestClient

from core.datasets import Dataset, DatasetPaths, Splits, datasets
from core.experiments.maintenance.cleanup import clean_up
from core.models import models
from core.settings import Settings
from core.store import Database
from core.training.weights import bytes_of, load_model, read_about

SPEC: dict[str, Any] = {
    "model": {"name": "mlp", "hidden": [8], "norm": "batch_norm"},
    "arms": [{"label": "he", "initializer": "he_normal"}, {"label": "lost", "optimizer": {"name": "sgd", "lr": 1e12}}],
    "seeds": 1,
    "epochs": 2,
    "keep": ["final", "initial", "best"],
}


@pytest.fixture
def runs(client: TestClient, work: Callable[[], int]) -> dict[str, Any]:
    """The runs of a trained experiment, by their arms."""
    answer = client.post("/experiments", json=SPEC)
    assert answer.status_code == 202, answer.text
    work()
    return {run["arm"]: run for run in client.get("/experiments/1/runs").json()["items"]}


def test_a_plain_model_has_the_reported_accuracy(client: TestClient, runs: dict[str, Any], tmp_path: Path) -> None:
    run = runs["he"]
    assert client.get("/experiments/1").json()["spec"]["keep"] == ["initial", "best", "final"]
    assert [*run["weights"]] == ["initial", "best", "final"]
    dataset: Dataset = datasets.parse("digits").build()
    splits: Splits = dataset.load(DatasetPaths())
    for which, about in run["weights"].items():
        answer = client.get(about["link"])
        assert answer.status_code == 200
        assert (len(answer.content), hashlib.sha256(answer.content).hexdigest()) == (about["bytes"], about["sha256"])
        digest = answer.headers["Repr-Digest"].removeprefix("sha-256=:").removesuffix(":")
        assert b64decode(digest).hex() == about["sha256"]
        assert f'filename="run-{run["id"]}-{which}.safetensors"' in answer.headers["Content-Disposition"]
        path = tmp_path / which
        path.write_bytes(answer.content)
        header = read_about(path)
        assert (header["run"], header["arm"], header["seed"], header["which"]) == (run["id"], "he", 0, which)
        with torch.no_grad():
            right = load_model(path)(splits.x_valid).argmax(-1) == splits.y_valid
        accuracy = right.double().mean().item()
        if which == "final":
            assert accuracy == pytest.approx(run["final"]["valid_accuracy"], abs=1e-12)
    assert client.get(f"/runs/{run['id']}/weights.safetensors").content == client.get(about["link"]).content


def test_what_there_is_not_is_a_404_that_says_why(client: TestClient, runs: dict[str, Any], settings: Settings) -> None:
    lost = runs["lost"]
    assert (lost["outcome"], [*lost["weights"]]) == ("diverged", ["initial"])
    answer = client.get(f"/runs/{lost['id']}/weights.safetensors?which=final")
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        f"run {lost['id']} has kept no final weights: it has initial",
    )
    assert client.get(f"/runs/{lost['id']}/weights.safetensors?which=last").status_code == 422
    assert client.get("/runs/99/weights.safetensors").status_code == 404
    (settings.data_dir / "weights").rename(settings.data_dir / "elsewhere")
    gone = client.get(f"/runs/{lost['id']}/weights.safetensors")
    assert (gone.status_code, gone.json()["detail"]) == (
        404,
        f"the initial weights of run {lost['id']} are not here: the file is gone",
    )


def test_a_disk_that_is_full_costs_the_weights_and_no_run(
    client: TestClient, work: Callable[[], int], settings: Settings
) -> None:
    (settings.data_dir / "weights").write_text("no folder")
    client.post("/experiments", json=SPEC)
    work()
    assert client.get("/experiments/1").json()["status"] == "succeeded"
    (he, _) = client.get("/experiments/1/runs").json()["items"]
    assert he["weights"]["final"]["error"].startswith("could not be written: ")
    answer = client.get(he["weights"]["final"]["link"])
    assert answer.status_code == 404
    assert "could not be written" in answer.json()["detail"]


def test_they_count_when_they_are_promised_and_go_with_the_experiment(
    client: TestClient, runs: dict[str, Any], settings: Settings, database: Database
) -> None:
    most = bytes_of(models.parse(SPEC["model"]), (1, 8, 8), 10)
    used = client.get("/projects/default").json()["quotas"]["bytes"]["used"]
    assert used == 2 * 3 * most
    sizes = [about["bytes"] for run in runs.values() for about in run["weights"].values()]
    assert all(most - 20_000 < size <= most for size in sizes)
    client.patch("/projects/default", json={"quotas": {"bytes": used + most - 1}})
    refused = client.post("/experiments", json=SPEC | {"keep": "best", "arms": SPEC["arms"][:1]})
    assert refused.status_code == 413
    assert "the quota of bytes of the project 'default' is" in refused.text

    folder = settings.data_dir / "weights"
    (folder / "experiment-1-run-1-9-best.safetensors").write_text("of an attempt that was lost")
    assert clean_up(database, settings) == 0
    assert clean_up(database, settings, old=-1) == 1
    assert len([*folder.iterdir()]) == len(sizes)
    assert client.delete("/experiments/1").status_code == 204
    assert client.get("/projects/default").json()["quotas"]["bytes"]["used"] == 0
    assert clean_up(database, settings) == len(sizes)
    assert [*folder.iterdir()] == []


def test_without_it_nothing_is_kept(client: TestClient, work: Callable[[], int], settings: Settings) -> None:
    client.post("/experiments", json={key: value for key, value in SPEC.items() if key != "keep"})
    work()
    (he, _) = client.get("/experiments/1/runs").json()["items"]
    assert he["weights"] == {}
    assert not (settings.data_dir / "weights").exists()
    detail = client.get("/runs/1/weights.safetensors").json()["detail"]
    assert detail == 'run 1 has kept no weights: it has none: "keep" of its spec says which, once it has ended'
