"""Looks before any training, as numbers and as pictures."""

import io
import math
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from tests.core.entries import entries, raw

PNG = {"Accept": "image/png"}


@pytest.fixture(scope="module")
def client(shared: TestClient) -> TestClient:
    return shared


def test_a_schedule_is_the_rate_of_every_update(client: TestClient) -> None:
    body = {"schedule": {"name": "step", "step_size": 2, "gamma": 0.5}, "lr": 0.8, "steps": 12, "steps_per_epoch": 3}
    found = client.post("/previews/schedule", json=body).json()
    assert found["lr"] == [0.8] * 6 + [0.4] * 6  # two epochs of three updates, then half
    assert found["schedule"] == {
        "name": "step",
        "step_size": 2,
        "gamma": 0.5,
        "unit": "epoch",
        "per": "unit",
        "lr": None,
    }


def test_schedules_are_compared(client: TestClient) -> None:
    others = ["cosine", {"name": "exponential", "gamma": 0.9}]
    body = {"schedule": "constant", "compare": others, "lr": 0.5, "steps": 6}
    found = client.post("/previews/schedule", json=body).json()
    alone = [client.post("/previews/schedule", json=body | {"schedule": one, "compare": []}).json() for one in others]
    assert [one["lr"] for one in found["compared"]] == [one["lr"] for one in alone]
    assert [one["schedule"]["name"] for one in found["compared"]] == ["cosine", "exponential"]
    drawn = client.post("/previews/schedule", json=body, headers={"Accept": "image/png"})
    assert drawn.content.startswith(b"\x89PNG")
    refused = client.post("/previews/schedule", json=body | {"compare": ["cosine"] * 12}).json()["errors"]
    assert [one["path"] for one in refused] == ["compare"]


def test_initializers_are_compared(client: TestClient) -> None:
    body = {"initializer": "he_normal", "shape": [8, 32], "compare": ["zeros", {"name": "normal", "std": 0.5}]}
    found = client.post("/previews/initializer", json=body).json()
    assert [one["initializer"]["name"] for one in found["compared"]] == ["zeros", "normal"]
    alone = client.post("/previews/initializer", json={"initializer": "he_normal", "shape": [8, 32]}).json()
    assert (found["stats"], alone["compared"]) == (alone["stats"], [])
    drawn = client.post("/previews/initializer", json=body, headers={"Accept": "image/svg+xml"}).text
    assert all(f">{name}<" in drawn for name in ("he_normal", "zeros", "normal"))


def test_a_schedule_is_told_what_it_probably_does_not_mean(client: TestClient) -> None:
    found = client.post("/previews/schedule", json={"schedule": "polynomial", "lr": 5e-5, "steps": 10}).json()
    assert [one["path"] for one in found["warnings"]] == ["schedule.end_lr"]
    assert client.post("/previews/schedule", json={"schedule": "cosine"}).json()["warnings"] == []


def test_a_transposed_convolution_is_previewed(client: TestClient) -> None:
    body = {"initializer": "he_uniform", "shape": [1, 256, 1, 1]}
    bounds = [
        client.post("/previews/initializer", json=body | {"transposed": transposed}).json()["theory"]["bound"]
        for transposed in (False, True)
    ]
    assert bounds == pytest.approx([math.sqrt(6 / 256), math.sqrt(6)])


def test_an_initializer_is_its_draws_beside_its_theory(client: TestClient) -> None:
    body = {"initializer": "he_normal", "shape": [300, 200], "seed": 3, "bins": 20}
    found = client.post("/previews/initializer", json=body).json()
    std = math.sqrt(2 / 200)
    assert found["theory"] == {"distribution": "normal", "mean": 0.0, "std": pytest.approx(std), "bound": None}
    assert (found["stats"]["fan_in"], found["stats"]["fan_out"]) == (200, 300)
    assert found["stats"]["std"] == pytest.approx(std, rel=0.02)  # 60,000 draws: three sigma are 0.9 %
    assert len(found["histogram"]["edges"]) == 21
    assert sum(found["histogram"]["counts"]) == 300 * 200
    assert client.post("/previews/initializer", json=body).json() == found
    assert client.post("/previews/initializer", json=body | {"seed": 4}).json()["stats"] != found["stats"]


@pytest.mark.parametrize(
    ("path", "body"), [("schedule", {"schedule": "cosine"}), ("initializer", {"initializer": "glorot_uniform"})]
)
def test_a_picture_where_one_is_asked_for(client: TestClient, path: str, body: dict[str, Any]) -> None:
    answer = client.post(f"/previews/{path}", json=body, headers=PNG)
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size[0] >= 600
    vector = client.post(f"/previews/{path}", json=body, headers={"Accept": "image/svg+xml"})
    assert vector.headers["content-type"] == "image/svg+xml"
    assert b"<svg" in vector.content
    either = client.post(f"/previews/{path}", json=body, headers={"Accept": "image/png;q=0.5, application/json"})
    assert either.headers["content-type"] == "application/json"


def test_a_layer_may_be_told_of(client: TestClient) -> None:
    def theory(**body: Any) -> dict[str, Any]:
        found: dict[str, Any] = client.post("/previews/initializer", json={"shape": [128, 128]} | body).json()["theory"]
        return found

    mup = {"name": "mup", "base_width": 32, "of": "normal_rule"}
    assert theory(initializer=mup)["std"] == pytest.approx(128**-0.5)
    assert theory(initializer=mup, role="output")["std"] == pytest.approx(32**-0.5)
    assert theory(initializer="depth_scaled", ends_branch=True, branches=4)["std"] == pytest.approx(0.01)
    mixed = {"name": "per_layer", "default": "he_normal", "layers": {"fc2": "zeros"}}
    assert theory(initializer=mixed)["distribution"] == "normal"
    assert theory(initializer=mixed, name="fc2")["distribution"] == "constant"
    grouped = client.post("/previews/initializer", json={"initializer": "dirac", "shape": [8, 2, 3], "groups": 4})
    assert grouped.json()["stats"]["mean"] == pytest.approx(8 / (8 * 2 * 3))


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"initializer": "dirac"}, "shape"),
        ({"initializer": "identity", "shape": [4, 4, 3, 3]}, "shape"),
        ({"initializer": "delta_orthogonal", "shape": [3, 4, 3]}, "shape"),
        ({"initializer": "he_normal", "shape": [4000, 4000]}, "shape"),
        ({"initializer": "dirac", "shape": [8, 2, 3], "groups": 3}, "groups"),
        ({"initializer": {"name": "mup", "base_width": 8, "of": "orthogonal"}}, "initializer"),
        ({"initializer": {"name": "per_layer", "layers": {"fc1": "lsuv"}}}, "initializer"),
    ],
)
def test_what_has_no_law_is_refused_where_it_is_said(client: TestClient, body: dict[str, Any], path: str) -> None:
    answer = client.post("/previews/initializer", json=body)
    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == [path]


@pytest.mark.parametrize(("kind", "name"), entries("initializer", "schedule"))
def test_every_entry_answers_in_numbers_and_in_a_picture(client: TestClient, kind: str, name: str) -> None:
    body: dict[str, Any] = {kind: raw(kind, name)}
    if name in ("delta_orthogonal", "dirac"):  # for convolutions alone
        body["shape"] = [64, 32, 3, 3]
    numbers = client.post(f"/previews/{kind}", json=body)
    assert numbers.status_code == 200, numbers.text
    found = numbers.json()
    assert found[kind]["name"] == name
    weights = math.prod(body.get("shape", [256, 784]))
    assert len(found["lr"]) == 100 if kind == "schedule" else sum(found["histogram"]["counts"]) == weights
    picture = client.post(f"/previews/{kind}", json=body, headers={"Accept": "image/png"})
    assert picture.content.startswith(b"\x89PNG"), picture.text


def test_an_optimizers_way_is_told_and_drawn(client: TestClient) -> None:
    asked = {"optimizer": {"name": "sgd", "lr": 0.01}, "compare": ["adam"], "steps": 3, "start": [0, 1]}
    found = client.post("/previews/optimizer", json=asked | {"curvature": [10, 50]}).json()
    assert found["x"] == pytest.approx([0, 0.1, 0.19, 0.271])  # each distance to 1 shrinks by 1 - lr * 10
    assert found["loss"][0] == pytest.approx(5)
    assert [one["optimizer"]["name"] for one in found["compared"]] == ["adam"]
    assert [len(one["y"]) for one in (found, *found["compared"])] == [4, 4]
    for accept, begin in (("image/png", b"\x89PNG"), ("image/svg+xml", b"<?xml")):
        drawn = client.post("/previews/optimizer", json=asked, headers={"Accept": accept})
        assert drawn.content.startswith(begin)


def test_a_way_that_overflows_ends(client: TestClient) -> None:
    asked = {"optimizer": {"name": "sgd", "lr": 1e3}, "compare": ["schedule_free_adamw"], "steps": 200}
    found = client.post("/previews/optimizer", json=asked).json()
    first = found["loss"].index(None)
    assert found["diverged_at"] == first
    assert found["compared"][0]["diverged_at"] is None
    assert len(found["compared"][0]["evaluated"]["loss"]) == 201
    assert client.post("/previews/optimizer", json=asked, headers=PNG).content.startswith(b"\x89PNG")


def test_layers_are_told_and_drawn(client: TestClient) -> None:
    asked = {"layer": {"conv2d": {"filters": 2, "kernel_size": 3}}, "compare": [{"maxpool": 2}], "batch": 5}
    found = client.post("/previews/layer", json=asked).json()
    assert (found["inputs"], found["shape"], found["parameters"], found["curve"]) == ([1, 8, 8], [2, 6, 6], 20, None)
    [pooled] = found["compared"]
    assert pooled["label"] == "maxpool"
    assert pooled["after"][0][0][0][0] == max(found["before"][0][0][i][j] for i in (0, 1) for j in (0, 1))
    assert client.post("/previews/layer", json=asked, headers=PNG).content.startswith(b"\x89PNG")
    curves = client.post("/previews/layer", json={"layer": "ReLU", "compare": [{"LeakyReLU": 0.2}]}).json()
    assert (curves["label"], curves["curve"]["y"][0], curves["compared"][0]["curve"]["y"][0]) == ("relu", 0.0, -1.0)


def test_a_data_set_is_told_and_drawn(client: TestClient) -> None:
    asked = {"dataset": {"name": "digits", "test_fraction": 0.1}}
    found = client.post("/previews/dataset", json=asked).json()
    assert found["examples"] == {"train": 1258, "valid": 359, "test": 180}
    assert sum(one["train"] for one in found["classes"]) == 1258
    assert client.post("/previews/dataset", json=asked, headers=PNG).content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("kind", "body", "path", "said"),
    [
        ("optimizer", {"optimizer": "sgd", "start": [1, 1]}, "start", "is the minimum"),
        ("optimizer", {"optimizer": "sgd", "curvature": [1, 0]}, "curvature[1]", "greater than 0"),
        ("optimizer", {"optimizer": "sdg"}, "optimizer.name", "did you mean 'sgd'"),
        ("optimizer", {"optimizer": "sgd", "steps": 10_001}, "steps", "10000"),
        ("optimizer", {"optimizer": "sgd", "compare": [{"name": "adam", "lr": -1}]}, "compare[0].lr", "greater than 0"),
        ("layer", {"layer": "relu", "inputs": [8, 8]}, "inputs", "should be [numbers], or [channels, height, width]"),
        ("layer", {"layer": "dense"}, "layer.dense.units", "required"),
        ("layer", {"layer": {"dense": 3}, "inputs": [1, 8, 8]}, "layer", "takes rows of numbers"),
        ("layer", {"layer": "relu", "compare": ["maxpool", {"dense": 3}]}, "compare[1]", "takes rows of numbers"),
        ("layer", {"layer": "batch_norm", "batch": 1, "inputs": [3]}, "layer", "more than 1 value"),
        ("layer", {"layer": {"dense": 65_536}, "batch": 64}, "layer", "4,194,304 numbers as outputs"),
        ("layer", {"layer": "relu", "inputs": [3, 1000, 1000]}, "inputs", "more than 200,000 numbers"),
        ("dataset", {"dataset": "mnist"}, "dataset", "initlab datasets fetch mnist"),
        ("dataset", {"dataset": {"name": "uploaded", "id": "nothing"}}, "dataset", "there is no data set"),
    ],
)
def test_what_cannot_be_previewed_is_said(
    client: TestClient, kind: str, body: dict[str, Any], path: str, said: str
) -> None:
    answer = client.post(f"/previews/{kind}", json=body)
    assert answer.status_code == 422
    errors = {one["path"]: one["message"] for one in answer.json()["errors"]}
    assert said in errors[path]
