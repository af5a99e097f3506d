"""The examples of the OpenAPI document: they are valid, the service takes them, and answers as they show.

`python -m tests.api.test_documented_examples` writes the answers anew.
"""

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jsonschema
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.examples import FOLDER, examples
from api.keys import create
from core.experiments.worker.worker import Worker
from core.settings import Settings
from core.store import Database, upgrade
from tests.api.document import DOCUMENT
from tests.api.held import service_of
from tests.api.keyed import sent_with

EXAMPLES = examples()
OPERATIONS: dict[str, Any] = {
    operation["operationId"]: (method, path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}
REQUESTS = [(name, each) for name, mine in EXAMPLES.items() for each in mine.get("requests", ())]
REQUESTS.sort(key=lambda one: not one[0].startswith("create"))  # what is changed has to be there
WITH_A_BODY = sorted({name for name, _ in REQUESTS}, key=lambda name: (not name.startswith("create"), name))
"""Calls, those that make something first."""
ANSWERS = [name for name, mine in EXAMPLES.items() if "answer" in mine]
ASKED = {
    "list_experiments": "/experiments?tag=weights",
    "get_experiment": "/experiments/1",
    "get_experiment_history": "/experiments/1/history",
    "list_runs": "/experiments/1/runs",
    "get_run": "/runs/3",
    "get_experiment_metrics": "/experiments/1/metrics?metric=valid_loss",
    "get_report": "/experiments/1/report",
    "list_plots": "/experiments/1/plots",
    "get_catalog_entry": "/catalog/initializers/zeros",
    "get_readiness": "/readyz",
    "get_me": "/me",
    "list_workers": "/workers",
}
"""What is asked of a service in which the first examples were posted, and trained."""


WAITING = {
    "kind": "external",
    "arms": [{"label": "one"}],
    "metrics": [{"name": "valid_perplexity", "direction": "min"}, {"name": "train_loss", "per": "step"}],
}
"""An experiment whose runs take the points of the examples."""


def _value(name: str, each: str | None = None) -> Any:
    requests = EXAMPLES[name]["requests"]
    return requests[each or next(iter(requests))]["value"]


def _send(client: TestClient, name: str, each: str | None = None) -> Any:
    method, path, _ = OPERATIONS[name]
    value = _value(name, each)
    if name == "declare_more":
        path = path.replace("{experiment_id}", str(client.post("/experiments", json=WAITING).json()["id"]))
    path = path.replace("{experiment_id}", "1").replace("{name}", "vision")
    if "{run_id}" in path:
        path = path.replace("{run_id}", str(_waiting(client, started=each == "seldom")))
    if name == "create_dataset":
        file = {"file": ("customers.csv", value["file"].encode())}
        return client.post(path, files=file, data={key: one for key, one in value.items() if key != "file"})
    if name == "create_link":
        return _with_a_key(client, method, path, value)
    return client.request(method, path, json=value)


def _waiting(client: TestClient, *, started: bool) -> int:
    """Return a run that waits for points, of an external experiment of its own; `started`: it has the first."""
    made = client.post("/experiments", json=WAITING).json()
    run: int = client.get(f"/experiments/{made['id']}/runs").json()["items"][0]["id"]
    if started:
        client.post(f"/runs/{run}/points", json=_value("post_points"))
    return run


def _with_a_key(client: TestClient, method: str, path: str, value: Any) -> Any:
    """Send it to another process of the service, which asks for keys: without any there are no links."""
    settings = service_of(client).settings
    file = settings.data_dir / "keys"
    file.unlink(missing_ok=True)
    sent = sent_with(create(file, "teacher", ["scope=admin"]))
    keyed = create_app(settings.model_copy(update={"api_keys_file": file}))
    with TestClient(keyed, base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as another:
        return another.request(method, path, json=value, headers=sent)


@contextmanager
def _served(folder: Path) -> Iterator[TestClient]:
    """A service in which the first experiment of the examples was trained."""
    settings = Settings(data_dir=folder, sweep_seconds=3600)
    with TestClient(create_app(settings), base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
        assert _send(client, "create_experiment").status_code == 202
        with closing(Worker(settings, threading.Event(), cores=1)) as work:
            work()
        yield client


def _answers(client: TestClient) -> dict[str, Any]:
    """Return what the service answers now, by the name of the call."""
    client.delete("/projects/vision")  # which another test may have made
    found = {name: client.get(path) for name, path in ASKED.items()}
    found |= {name: _send(client, name) for name in WITH_A_BODY}
    found["cancel_experiments"] = client.post("/experiments/cancel?tag=weights")
    assert {name: one.text for name, one in found.items() if one.status_code >= 300} == {}
    return {name: one.json() for name, one in found.items()}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("served")
    shutil.copy(migrated_sqlite, folder)
    with _served(folder) as client:
        yield client


def _check(value: Any, schema: dict[str, Any]) -> None:
    whole = schema | {"components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


def test_every_body_has_an_example_and_key_answers_too() -> None:
    with_a_body = {name for name, (_, _, operation) in OPERATIONS.items() if "requestBody" in operation}
    assert with_a_body == {name for name, mine in EXAMPLES.items() if "requests" in mine}
    assert {*ANSWERS} == with_a_body | ASKED.keys() | {"cancel_experiments"}


@pytest.mark.parametrize(("name", "each"), REQUESTS)
def test_a_request_is_valid_and_accepted(served: TestClient, name: str, each: str) -> None:
    ((media, content),) = OPERATIONS[name][2]["requestBody"]["content"].items()
    assert content["examples"][each]["summary"]
    _check(_value(name, each), content["schema"])
    answer = _send(served, name, each)
    assert answer.status_code < 300, (media, answer.text)


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_valid(name: str) -> None:
    answered = next(one for status, one in OPERATIONS[name][2]["responses"].items() if status.startswith("2"))
    content = answered["content"]["application/json"]
    assert content["examples"]["answer"]["value"] == EXAMPLES[name]["answer"]
    _check(EXAMPLES[name]["answer"], content["schema"])


def _shape(value: Any) -> Any:
    """Return the keys of a value, and of the first of what its lists hold."""
    if isinstance(value, dict):
        return {key: _shape(one) for key, one in value.items()}
    return [_shape(one) for one in value[:1]] if isinstance(value, list) else None


def test_the_service_answers_as_is_shown(served: TestClient) -> None:
    shown = {name: _shape(EXAMPLES[name]["answer"]) for name in ANSWERS}
    for name, answer in _answers(served).items():
        assert _shape(answer) == shown[name], f"{name}: run python -m {__spec__.name if __spec__ else __name__}"


def _write() -> None:
    with TemporaryDirectory() as folder:
        database = Database(Settings(data_dir=Path(folder)).database)
        upgrade(database.engine)
        database.dispose()
        with _served(Path(folder)) as client:
            for name, answer in _answers(client).items():
                text = json.dumps(EXAMPLES.get(name, {}) | {"answer": answer}, indent=1, ensure_ascii=False)
                (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    _write()
