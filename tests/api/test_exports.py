"""Bundles and `.eln` files of an experiment that was trained: what is in them, that it is right, and read by others."""

import csv
import hashlib
import io
import json
import math
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch
from fastapi.testclient import TestClient
from rocrate.rocrate import ROCrate

from api.app import create_app
from core.datasets import DatasetPaths, datasets, splits_hash
from core.experiments.worker.worker import Worker
from core.settings import Settings
from tests.api import externals

SPEC: dict[str, Any] = {
    "name": "to be <taken> away",
    "tags": ["b", "a"],
    "model": {"name": "mlp", "hidden": [4], "activation": "linear"},
    "optimizer": {"name": "sgd", "lr": 0.1},
    "epochs": 1,
    "seeds": 2,
    "diagnostics": {"every": 10},
    "vary": ["init", "order"],
    "arms": [{"label": "he, normal", "initializer": "he_normal"}, {"label": "too fast", "optimizer.lr": 1e12}],
}
DOWNLOADS = ("bundle.zip", "experiment.eln")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[TestClient]:
    """The service, in which experiment 1 was trained and 2 waits."""
    folder = tmp_path_factory.mktemp("exports")
    shutil.copy(migrated_sqlite, folder)
    settings = Settings(data_dir=folder, sweep_seconds=3600)
    with TestClient(create_app(settings), base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
        assert client.post("/experiments", json=SPEC).status_code == 202
        with closing(Worker(settings, threading.Event(), cores=1)) as work:
            work()
        assert client.post("/experiments", json=SPEC).status_code == 202
        yield client


@pytest.fixture(scope="module")
def packed(trained: TestClient) -> dict[str, bytes]:
    """The bundle's file, and that of the lab notebook."""
    return {name: trained.get(f"/experiments/1/{name}").content for name in DOWNLOADS}


@pytest.fixture(scope="module")
def bundle(packed: dict[str, bytes]) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(packed["bundle.zip"]))


def read(bundle: zipfile.ZipFile, name: str) -> Any:
    return json.loads(bundle.read(name))


@pytest.mark.thorough
@pytest.mark.parametrize("name", DOWNLOADS)
def test_the_same_experiment_is_the_same_file(trained: TestClient, packed: dict[str, bytes], name: str) -> None:
    again = trained.get(f"/experiments/1/{name}")
    assert again.content == packed[name]
    named = name.replace("bundle", "experiment-1").replace("experiment.", "experiment-1.")
    assert again.headers["content-disposition"] == f'attachment; filename="{named}"'
    unchanged = trained.get(f"/experiments/1/{name}", headers={"If-None-Match": again.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


@pytest.mark.parametrize("name", DOWNLOADS)
def test_what_has_not_ended_is_not_packed(trained: TestClient, name: str) -> None:
    refused = trained.get(f"/experiments/2/{name}")
    assert (refused.status_code, refused.json()["title"]) == (409, "Conflict")
    assert "queued" in refused.json()["detail"]


def test_its_checksums_are_those_that_coreutils_finds(bundle: zipfile.ZipFile, tmp_path: Path) -> None:
    bundle.extractall(tmp_path)
    program = shutil.which("sha256sum")
    assert program is not None
    words = [program, "--check", "--strict", "SHA256SUMS"]
    assert subprocess.run(words, cwd=tmp_path, capture_output=True).returncode == 0
    listed = {line.split("  ")[1] for line in (tmp_path / "SHA256SUMS").read_text().splitlines()}
    assert listed == set(bundle.namelist()) - {"SHA256SUMS"}
    (tmp_path / "spec.json").write_text("{}")
    assert subprocess.run(words, cwd=tmp_path, capture_output=True).returncode == 1


def test_it_has_what_the_service_answers(trained: TestClient, bundle: zipfile.ZipFile) -> None:
    one = trained.get("/experiments/1").json()
    assert read(bundle, "spec.json") == one["spec"]
    assert read(bundle, "experiment.json")["tags"] == ["a", "b"]
    assert read(bundle, "runs.json") == trained.get("/experiments/1/runs").json()["items"]
    assert read(bundle, "report.json") == trained.get("/experiments/1/report").json()
    assert bundle.read("report.md").decode() == trained.get("/experiments/1/report?format=md").text
    assert read(bundle, "environment.json") == trained.get("/experiments/1/environments").json()["items"]
    assert read(bundle, "history.json") == trained.get("/experiments/1/history").json()["items"]
    runs = [run for cohort in read(bundle, "plan.json") for run in cohort["runs"]]
    assert len(runs) == len(read(bundle, "runs.json")) == 12
    final = {(run["arm"], run["seed"]): run["final"] for run in read(bundle, "runs.json") if not run["varied"]}
    for one in read(bundle, "classes.json"):  # none of what diverged
        right = sum(one["confusion"][i][i] for i in range(10)) / sum(map(sum, one["confusion"]))
        assert right == final.pop((one["arm"], one["seed"]))["valid_accuracy"]
    assert {arm for arm, _ in final} == {"too fast"}
    shown = {item["name"] for item in trained.get("/experiments/1/plots").json()["items"]}
    drawn = {name for name in bundle.namelist() if name.startswith("plots/")}
    assert drawn == {f"plots/{name}.{form}" for name in shown for form in ("png", "svg", "json")}
    page = bundle.read("report.html").decode()
    assert 'src="plots/comparison.png"' in page, "beside it, where the picture lies"


@pytest.mark.parametrize("varied", ["", "init", "order"])
def test_every_point_is_there_to_the_last_bit(trained: TestClient, bundle: zipfile.ZipFile, varied: str) -> None:
    rows = list(csv.DictReader(io.StringIO(bundle.read("metrics.csv").decode())))
    mine = [row for row in rows if row["varied"] == varied]
    found = [(row["arm"], int(row["seed"]), row["metric"], int(row["step"]), float(row["value"])) for row in mine]
    runs = {run["id"]: run["varied"] or "" for run in trained.get("/experiments/1/runs").json()["items"]}
    every = trained.get("/experiments/1/metrics", params={"diagnostics": True, "repeat": bool(varied)}).json()["series"]
    expected = [
        (one["arm"], one["seed"], one["metric"], step, value)
        for one in every
        if runs[one["run_id"]] == varied
        for step, value in zip(one["steps"], one["values"], strict=True)
    ]
    assert [(*row[:-1], row[-1] if math.isfinite(row[-1]) else None) for row in found] == expected
    assert any("/" in metric for _, _, metric, _, _ in found)
    assert not all(math.isfinite(value) for *_, value in found), "one arm diverged"


def test_data_are_named_by_the_hash_of_their_splits(bundle: zipfile.ZipFile) -> None:
    ((found),) = read(bundle, "data.json")
    assert found["dataset"]["name"] == "digits"
    splits = datasets.parse("digits").build().load(DatasetPaths())
    digest = hashlib.sha256()
    for name, part in splits._asdict().items():
        digest.update(f"{name} {part.dtype} {tuple(part.shape)}\n".encode() + part.numpy().tobytes())
    assert found["sha256"] == digest.hexdigest() == splits_hash(splits)
    assert splits_hash(splits._replace(y_valid=splits.y_valid.flip(0))) != digest.hexdigest()
    assert splits_hash(splits._replace(x_train=splits.x_train.to(torch.float64))) != digest.hexdigest()


CRATE = {
    "type": "object",
    "required": ["@context", "@graph"],
    "properties": {
        "@context": {"const": "https://w3id.org/ro/crate/1.1/context"},
        "@graph": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["@id", "@type"],
                "properties": {
                    "keywords": {"type": "string"},
                    "contentSize": {"type": "string", "pattern": "^[0-9]+$"},
                    "sha256": {"pattern": "^[0-9a-f]{64}$"},
                    "dateCreated": {"format": "date-time"},
                    "hasPart": {"type": "array", "items": {"required": ["@id"], "maxProperties": 1}},
                },
            },
        },
    },
}
"""The rules of the ELN file format that a schema can say, after its SPECIFICATION.md."""


def test_a_lab_notebook_finds_what_its_format_asks_for(packed: dict[str, bytes], bundle: zipfile.ZipFile) -> None:
    eln = zipfile.ZipFile(io.BytesIO(packed["experiment.eln"]))
    assert {name.split("/")[0] for name in eln.namelist()} == {"experiment-1"}, "one folder at its root"
    crate = json.loads(eln.read("experiment-1/ro-crate-metadata.json"))
    jsonschema.validate(crate, CRATE, format_checker=jsonschema.FormatChecker())
    nodes = {node["@id"]: node for node in crate["@graph"]}
    assert len(nodes) == len(crate["@graph"]), "each node once"
    descriptor, root = nodes["ro-crate-metadata.json"], nodes["./"]
    assert (descriptor["about"], descriptor["@type"]) == ({"@id": "./"}, "CreativeWork")
    assert {"version", "sdPublisher", "conformsTo"} <= descriptor.keys()
    assert {"name", "description", "datePublished", "license"} <= root.keys()
    (experiment,) = [nodes[part["@id"]] for part in root["hasPart"]]
    assert (experiment["@type"], experiment["name"], experiment["keywords"]) == ("Dataset", SPEC["name"], "a,b")
    assert experiment["text"].startswith("<h1>to be &lt;taken&gt; away</h1>")
    assert "<table>" in experiment["text"]
    files = [nodes[part["@id"]] for part in experiment["hasPart"]]
    assert {file["@type"] for file in files} == {"File"}
    for file in files:  # what eLabFTW checks before it takes a file
        content = eln.read(f"experiment-1/{file['@id'].removeprefix('./')}")
        assert (hashlib.sha256(content).hexdigest(), str(len(content))) == (file["sha256"], file["contentSize"])
    assert {file["@id"].removeprefix("./data/") for file in files} == set(bundle.namelist())


def test_another_reader_of_its_format_reads_it(packed: dict[str, bytes], tmp_path: Path) -> None:
    zipfile.ZipFile(io.BytesIO(packed["experiment.eln"])).extractall(tmp_path)
    crate = ROCrate(tmp_path / "experiment-1")
    assert crate.name == SPEC["name"]
    experiment = crate.get("data/")
    named = {part.id: part for part in experiment["hasPart"]}
    assert named["data/metrics.csv"]["encodingFormat"] == "text/csv"
    assert Path(named["data/metrics.csv"].source).is_file()


def test_what_was_trained_elsewhere_is_packed_too(client: TestClient) -> None:
    experiment = externals.posted(client)
    path = f"/experiments/{experiment['id']}"
    assert client.get(f"{path}/bundle.zip").status_code == 409
    externals.trained(client, experiment)
    bundle = zipfile.ZipFile(io.BytesIO(client.get(f"{path}/bundle.zip").content))
    assert read(bundle, "experiment.json")["kind"] == "external"
    assert (read(bundle, "data.json"), read(bundle, "environment.json")) == ([], [])
    rows = list(csv.DictReader(io.StringIO(bundle.read("metrics.csv").decode())))
    assert {(row["metric"], row["unit"]) for row in rows} == {("valid_accuracy", "epoch"), ("train_loss", "step")}
    assert len(rows) == 8 * (4 + 20)
    assert client.get(f"{path}/experiment.eln").status_code == 200
