"""The contract as programs read it.

`openapi.json` beside this file holds it, so that no change of the API goes unseen. `python -m
tests.api.test_openapi` writes it anew; what a review then sees is the change.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.openapi import NAMED, STATUSES, type_name
from api.routes.catalog import CATALOG
from core.datasets import Options
from core.initializers import initializers
from core.metrics import metric_names
from core.registry import Registry
from core.settings import Settings
from tests.api.document import DOCUMENT

GOLDEN = Path(__file__).with_name("openapi.json")
NAMES = {kind: {*registry.names()} for kind, registry in CATALOG.items()} | {"metrics": {*metric_names()}}


def contract() -> str:
    """Return the OpenAPI document as it is kept: sorted, and without what changes while the API does not.

    That is the version, the wording of descriptions, examples, and the names in the catalogues: a new initializer is
    one file and its test.
    """
    document = create_app(Settings()).openapi()
    del document["info"]["version"]
    for operation in (one for path in document["paths"].values() for one in path.values()):
        for part in (operation.get("requestBody", {}), *operation["responses"].values()):
            for content in part.get("content", {}).values():
                content.pop("examples", None)
    schemas = document["components"]["schemas"]
    of_entries = {name for registry in NAMED for name in _types_of(registry, schemas)}
    of_entries |= {name for name in schemas if re.match(r"[A-Z]\w*Layer", name)}
    document["components"]["schemas"] = {name: one for name, one in schemas.items() if name not in of_entries}
    return json.dumps(_reduced(document), indent=1, sort_keys=True) + "\n"


def _types_of(registry: Registry, schemas: dict[str, Any]) -> set[str]:
    """Return the names of the types of a catalogue's entries, and of their parts."""
    entries = {place.rpartition("/")[2] for place in _union(registry, schemas)["discriminator"]["mapping"].values()}
    return {name for name in schemas if name.startswith(tuple(entries))}


def _union(registry: Registry, schemas: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schemas[type_name("", f"{registry.kind}_entry")]
    return found


def _reduced(part: Any) -> Any:
    if isinstance(part, list):
        return [_reduced(one) for one in part]
    if not isinstance(part, dict):
        return part
    if part.get("discriminator", {}).get("propertyName") == "name":
        return "an entry of the catalogue"
    # a field may be called description as well: its value is no text
    kept = {key: _reduced(value) for key, value in part.items() if key != "description" or not isinstance(value, str)}
    names = set(part["enum"]) if isinstance(part.get("enum"), list) else set()
    kinds = [kind for kind, known in NAMES.items() if names and names <= known]
    kept.pop("x-enum-varnames", None)
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
    assert spec["initializer"]["$ref"] == "#/components/schemas/Initializer"
    assert document["paths"]["/experiments"]["post"]["responses"].keys() >= {"202", "default"}


@pytest.mark.parametrize("registry", NAMED, ids=lambda registry: registry.kind)
def test_every_name_of_an_entry_has_a_type_with_the_parameters_that_are_read_under_it(registry: Registry) -> None:
    schemas = DOCUMENT["components"]["schemas"]
    mapping = _union(registry, schemas)["discriminator"]["mapping"]
    assert mapping.keys() == {*registry.names()}
    assert {*schemas[type_name("", f"{registry.kind}_name")]["enum"]} == {*registry.names()}
    for name, place in mapping.items():
        found = schemas[place.rpartition("/")[2]]
        called = found["properties"]["name"]
        known = schemas[called["$ref"].rpartition("/")[2]]["enum"] if "$ref" in called else [called["const"]]
        assert name in known
        own = {*registry[name].model_fields}
        assert found["additionalProperties"] is False
        if name in {*registry}:
            assert found["properties"].keys() == own


def test_calls_have_names_that_stay_and_problems_as_they_come() -> None:
    operations = [one for path in DOCUMENT["paths"].values() for one in path.values()]
    names = [one["operationId"] for one in operations]
    assert len({*names}) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)] == []
    for response in DOCUMENT["components"]["responses"].values():
        assert response["content"].keys() == {"application/problem+json"}
    assert "Allow" in DOCUMENT["components"]["responses"]["MethodNotAllowed"]["headers"]
    kept = [(name, status) for name, one in zip(names, operations, strict=True) for status in one["responses"]]
    assert {status for _, status in kept} >= STATUSES.keys() - {"507"}


def test_what_a_patch_may_change_has_no_defaults() -> None:
    """A client of openapi-python-client sends the default of a field that nobody gave it, which would be set."""
    patched = [path["patch"]["requestBody"]["content"] for path in DOCUMENT["paths"].values() if "patch" in path]
    bodies = [
        DOCUMENT["components"]["schemas"][one["application/json"]["schema"]["$ref"].rpartition("/")[2]]
        for one in patched
    ]
    assert bodies
    assert [field for body in bodies for field in body["properties"].values() if "default" in field] == []
    assert [body for body in bodies if body.get("required")] == []


def test_every_number_of_a_spec_has_a_bound() -> None:
    """JSON has integers that no float holds: what is computed with one would be a fault of the service's."""
    schemas, seen, unbounded = DOCUMENT["components"]["schemas"], {"Spec"}, []

    def look(part: Any, place: str) -> None:
        for key, one in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
            if key == "$ref" and (name := one.rpartition("/")[2]) not in seen:
                seen.add(name)
                look(schemas[name], name)
            look(one, f"{place}.{key}")
        bounds = ("maximum", "exclusiveMaximum")
        if isinstance(part, dict) and part.get("type") in ("integer", "number") and not any(b in part for b in bounds):
            unbounded.append(place)

    look(schemas["Spec"], "Spec")
    assert len(seen) > 100
    assert unbounded == []


def test_readiness_names_what_is_missing(client: TestClient) -> None:
    """Here nobody works: what is posted is accepted and waits."""
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"] == {
        "database": "ok",
        "broker": "ok",
        "files": "ok",
        "workers": "none has given a sign of life",
    }
    assert client.get("/healthz").json() == {"status": "alive"}


def test_the_catalogue_over_http(client: TestClient) -> None:
    whole = client.get("/catalog").json()
    named = {"initializers", "schedules", "optimizers", "models", "layers", "datasets", "plots"}
    assert set(whole) == named | {"metrics", "outcomes", "findings"}
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
