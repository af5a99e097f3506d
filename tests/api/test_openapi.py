"""The contract as programs read it.

`openapi.json` beside this file holds it, so that no change of the API goes unseen. `python -m
tests.api.test_openapi` writes it anew; what a review then sees is the change.
"""

import json
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from api.app import create_app
from api.routes.catalog import CATALOG
from core.datasets import Options
from core.initializers import initializers
from core.metrics import metric_names
from core.settings import Settings

GOLDEN = Path(__file__).with_name("openapi.json")
NAMES = {kind: set(registry) for kind, registry in CATALOG.items()} | {"metrics": {*metric_names()}}


def contract() -> str:
    """Return the OpenAPI document as it is kept: sorted, and without what changes while the API does not.

    That is the version, the wording of descriptions, and the names in the catalogues: a new initializer is one file
    and its test.
    """
    document = create_app(Settings()).openapi()
    del document["info"]["version"]
    return json.dumps(_reduced(document), indent=1, sort_keys=True) + "\n"


def _reduced(part: Any) -> Any:
    if isinstance(part, list):
        return [_reduced(one) for one in part]
    if not isinstance(part, dict):
        return part
    # a field may be called description as well: its value is no text
    kept = {key: _reduced(value) for key, value in part.items() if key != "description" or not isinstance(value, str)}
    names = set(part["enum"]) if isinstance(part.get("enum"), list) else set()
    kinds = [kind for kind, known in NAMES.items() if names and names <= known]
    return kept | {"enum": f"names of {kinds[0]}"} if kinds else kept


def test_the_contract_is_the_one_that_is_kept() -> None:
    assert contract() == GOLDEN.read_text(encoding="utf-8"), (
        "the API's contract has changed: if that is meant, run `python -m tests.api.test_openapi`, "
        "look at the difference, and commit it with a line in CHANGELOG.md"
    )


def test_new_names_in_catalogues_and_other_words_are_no_change_of_the_contract() -> None:
    field = {"type": "string", "enum": ["zeros", "ones"], "title": "Initializer"}
    assert _reduced({"anyOf": [field]}) == {"anyOf": [field | {"enum": "names of initializers"}]}
    assert _reduced({"description": "any words", "properties": {"description": field}})["properties"].keys() == {
        "description"
    }
    assert _reduced({"enum": ["zeros", "of no catalogue"]}) == {"enum": ["zeros", "of no catalogue"]}


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
    assert form["properties"].keys() == {"file", "name", *Options.model_fields}
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
    assert set(whole) == {"initializers", "schedules", "optimizers", "models", "layers", "datasets", "plots"}
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


if __name__ == "__main__":
    GOLDEN.write_text(contract(), encoding="utf-8")
