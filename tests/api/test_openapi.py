"""The contract as programs read it."""

from pathlib import Path

from fastapi.testclient import TestClient

from api.app import create_app
from core.initializers import initializers
from core.settings import Settings


def test_the_openapi_document_holds_every_route_and_the_catalogues_names(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert set(document["paths"]) >= {
        "/experiments",
        "/experiments/preview",
        "/experiments/{experiment_id}",
        "/experiments/{experiment_id}/cancel",
        "/experiments/{experiment_id}/runs",
        "/experiments/{experiment_id}/metrics",
        "/experiments/{experiment_id}/plots",
        "/experiments/{experiment_id}/plots/{name}.{extension}",
        "/experiments/{experiment_id}/report",
        "/runs/{run_id}",
        "/runs/{run_id}/metrics",
        "/datasets",
        "/datasets/{name}",
        "/catalog",
        "/catalog/{kind}",
        "/catalog/{kind}/{name}",
        "/previews/schedule",
        "/previews/initializer",
        "/healthz",
        "/readyz",
    }
    form = document["components"]["schemas"]["DatasetForm"]
    assert form["properties"].keys() == {"file", "name", "target", "drop", "text", "missing", "task", "resize"}
    assert form["required"] == ["file"]
    assert document["paths"]["/datasets"]["post"]["requestBody"]["content"].keys() == {"multipart/form-data"}
    assert document["paths"]["/datasets"]["post"]["responses"].keys() >= {"200", "201", "default"}
    spec = document["components"]["schemas"]["Spec"]["properties"]
    assert spec["initializer"]["anyOf"][0]["enum"] == list(initializers)
    assert document["paths"]["/experiments"]["post"]["responses"].keys() >= {"202", "default"}


def test_readiness_names_what_is_missing(client: TestClient) -> None:
    """Here nobody works: what is posted is accepted and waits."""
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"] == {
        "database": "ok",
        "broker": "ok",
        "workers": "none has given a sign of life",
    }
    assert client.get("/healthz").json() == {"status": "alive"}


def test_the_catalogue_over_http(client: TestClient) -> None:
    whole = client.get("/catalog").json()
    assert set(whole) == {"initializers", "schedules", "optimizers", "models", "datasets", "plots"}
    assert [entry["name"] for entry in client.get("/catalog/initializers").json()["items"]] == list(initializers)
    he = client.get("/catalog/initializers/kaiming_normal").json()
    assert he["name"] == "he_normal"
    assert "1502.01852" in he["source"]
    assert he["formula"]
    assert he["parameters"]["properties"]["mode"]["default"] == "fan_in"


def test_a_database_that_is_away_is_said_and_may_be_asked_again(tmp_path: Path) -> None:
    away = "postgresql+psycopg://postgres@127.0.0.1:1/nothing"
    settings = Settings(data_dir=tmp_path, database_url=away, sweep_seconds=3600)
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "down")
        for answer in (client.post("/experiments", json={}), client.get("/experiments")):
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert answer.headers["content-type"] == "application/problem+json"
