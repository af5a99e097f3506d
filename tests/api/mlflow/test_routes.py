"""The calls of MLflow's door: what they find, and what they refuse."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.keyed import Make
from tests.api.mlflow.logged import BASE, Call, end, log, started


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "words"),
    [
        ("experiments/create", {"name": "theirs"}, 400, "RESOURCE_ALREADY_EXISTS", "is there already"),
        ("experiments/create", {}, 400, "INVALID_PARAMETER_VALUE", "name"),
        ("experiments/create", {"name": "x", "tags": [{"key": "initlab.project", "value": "no"}]}, 400,
         "INVALID_PARAMETER_VALUE", "unknown project"),
        ("runs/create", {"experiment_id": "77"}, 404, "RESOURCE_DOES_NOT_EXIST", "no experiment 77"),
        ("runs/log-metric", {"run_id": "f" * 32, "key": "a", "value": 1}, 404, "RESOURCE_DOES_NOT_EXIST", "no run"),
        ("runs/search", {"experiment_ids": ["1"], "filter": "a b"}, 400, "INVALID_PARAMETER_VALUE", "cannot be read"),
        ("logged-models", {"source_run_id": "f"}, 404, "RESOURCE_DOES_NOT_EXIST", "no run f"),
        ("traces", {}, 404, "ENDPOINT_NOT_FOUND", "no such call"),
    ],
)  # fmt: skip
def test_refusals_are_mlflows(
    call: Call, experiment: str, path: str, body: dict[str, Any], status: int, code: str, words: str
) -> None:
    del experiment  # which is there
    found = call(path, status, **body)
    assert found["error_code"] == code
    assert words in found["message"]


def test_a_param_is_logged_once(call: Call, experiment: str) -> None:
    run = started(call, experiment, {"lr": "0.1"})
    call("runs/log-parameter", run_id=run, key="lr", value="0.1")
    assert "is not changed" in call("runs/log-parameter", 400, run_id=run, key="lr", value="0.2")["message"]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("", "abc"),
        ("metrics.val_acc > 0.5", "bc"),
        ("params.lr = '0.1' AND metrics.`val_acc` <= 0.5", "a"),
        ("tags.who LIKE 'm%' and attributes.status = 'FINISHED'", "b"),
        ("run_name IN ('a', 'c')", "ac"),
        ("params.none IS NULL and params.lr != '0.1'", "c"),
    ],
)
def test_runs_are_found_by_filters(call: Call, experiment: str, asked: str, names: str) -> None:
    for name, lr, value in (("a", "0.1", 0.5), ("b", "0.1", 0.75), ("c", "0.2", 1.0)):
        run = started(call, experiment, {"lr": lr}, **{"mlflow.runName": name, "who": "me" if name == "b" else "you"})
        log(call, run, [(0, value)])
        if name == "b":
            end(call, run)
    found = call("runs/search", experiment_ids=[experiment], filter=asked, order_by=["metrics.val_acc ASC"])["runs"]
    assert "".join(one["info"]["run_name"] for one in found) == names
    page = call("runs/search", experiment_ids=[experiment], order_by=["metric.val_acc DESC"], max_results=2)
    assert [one["info"]["run_name"] for one in page["runs"]] == ["c", "b"]
    rest = call(
        "runs/search",
        experiment_ids=[experiment],
        order_by=["metric.val_acc DESC"],
        max_results=2,
        page_token=page["next_page_token"],
    )
    assert ([one["info"]["run_name"] for one in rest["runs"]], "next_page_token" in rest) == (["a"], False)


def test_what_is_deleted_is_found_where_it_is_asked_for(client: TestClient, call: Call, experiment: str) -> None:
    run = started(call, experiment)
    call("runs/delete", run_id=run)
    assert call("runs/search", experiment_ids=[experiment])["runs"] == []
    assert len(call("runs/search", experiment_ids=[experiment], run_view_type="DELETED_ONLY")["runs"]) == 1
    assert "was deleted" in call("runs/set-tag", 400, run_id=run, key="a", value="b")["message"]
    call("runs/restore", run_id=run)
    call("experiments/delete", experiment_id=experiment)
    assert "was deleted" in call("runs/create", 400, experiment_id=experiment)["message"]
    found = client.get(f"{BASE}/experiments/get-by-name", params={"experiment_name": "theirs"}).json()
    assert found["experiment"]["lifecycle_stage"] == "deleted"
    assert call("experiments/search")["experiments"] == []


def test_keys_come_as_tokens_and_as_passwords(client: TestClient, make: Make) -> None:
    reader, writer = make("reader", "scope=read"), make("writer")
    refused = client.post(f"{BASE}/experiments/create", json={"name": "a"})
    assert (refused.status_code, refused.json()["error_code"]) == (401, "UNAUTHENTICATED")
    refused = client.post(f"{BASE}/experiments/create", json={"name": "a"}, headers=reader)
    assert (refused.status_code, refused.json()["error_code"]) == (403, "PERMISSION_DENIED")
    assert client.post(f"{BASE}/experiments/search", json={}, headers=reader).status_code == 200
    assert client.post(f"{BASE}/experiments/create", json={"name": "a"}, headers=writer).status_code == 200
    secret = writer["Authorization"].removeprefix("Bearer ")
    found = client.post(f"{BASE}/experiments/search", json={}, auth=("anybody", secret))
    assert [one["name"] for one in found.json()["experiments"]] == ["a"]
    assert client.post(f"{BASE}/experiments/search", json={}, auth=("anybody", "no")).status_code == 401
    assert client.get("/experiments", auth=("anybody", secret)).status_code == 401  # at the door alone


def test_files_and_models_are_taken_and_said_to_be_gone(client: TestClient, call: Call, experiment: str) -> None:
    run = started(call, experiment)
    model = call("logged-models", name="forest", source_run_id=run)["model"]["info"]
    assert (model["name"], model["status"]) == ("forest", "LOGGED_MODEL_PENDING")
    found = client.get(f"{BASE}/logged-models/{model['model_id']}").json()["model"]["info"]
    assert (found["source_run_id"], found["status"]) == (run, "LOGGED_MODEL_READY")
    place = f"/mlflow/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts"
    for name in ("a.png", "b.png", "a.png"):
        assert client.put(f"{place}/{name}", content=b"picture" * 300_000).status_code == 200
    tags = client.get(f"{BASE}/runs/get", params={"run_id": run}).json()["run"]["data"]["tags"]
    assert {"key": "initlab.artifacts", "value": "not kept: a.png, b.png"} in tags
    refused = client.get(f"{place}/a.png")
    assert (refused.status_code, refused.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert client.get(f"{BASE}/artifacts/list", params={"run_id": run}).json()["files"] == []
