"""The contract of every endpoint. A new one is tested by existing; EXAMPLES says what a GET is asked with."""

import importlib
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.routing import Route

from api import routes
from api.app import ROUTERS, create_app
from api.auth import OPEN
from api.keys import create
from api.page import is_page
from core.experiments.cohorts.outbox import HOOK_EVENTS
from core.experiments.worker.worker import Worker
from core.settings import Settings
from tests.api.document import DOCUMENT
from tests.test_repository import copy_sources

ROUTE = """
from fastapi import APIRouter

router = APIRouter()


@router.get("/foo")
def foo() -> str:
    return "foo"
"""

EXAMPLES = {
    "experiment_id": "1",
    "run_id": "1",
    "webhook_id": "1",
    "delivery_id": "1",
    "link_id": "0" * 32,
    "kind": "initializers",
    "extension": "json",
    "/catalog/{kind}/{name}": "zeros",
    "/datasets/{name}": "table",
    "/datasets/{name}/preview": "table",
    "/workers/{name}/drain": "host-7-0000",
    "/projects/{name}": "default",
    "/studies/{name}": "chain",
    "/experiments/{experiment_id}/plots/{name}.{extension}": "loss",
}
"""A value of each path parameter for which there is something to see; under its path where `name` means many things."""

NAME = re.compile(r"\{(\w+)\}")
ENDPOINTS: list[tuple[str, str, APIRoute]] = [
    (method, route.path, route)
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods or ())
]
PATHS = sorted({path for _, path, _ in ENDPOINTS})

NUMBERS = {
    parameter["name"]
    for operations in DOCUMENT["paths"].values()
    for operation in operations.values()
    for parameter in operation.get("parameters", ())
    if parameter["in"] == "path" and parameter["schema"].get("type") == "integer"
}
TESTED = "\n".join(
    path.read_text(encoding="utf-8") for path in Path(__file__).parent.parent.rglob("*.py") if path != Path(__file__)
)

of_every_endpoint = pytest.mark.parametrize(
    ("method", "path"), [(method, path) for method, path, _ in ENDPOINTS], ids=lambda text: text
)
of_every_parameter = pytest.mark.parametrize(
    ("method", "path", "parameter"),
    [(method, path, name) for method, path, _ in ENDPOINTS for name in NAME.findall(path) if name != "extension"],
    ids=lambda text: text,
)
of_those_with_numbers = pytest.mark.parametrize(
    ("method", "path"), [(method, path) for method, path, _ in ENDPOINTS if "_id}" in path], ids=lambda text: text
)
of_those_that_read = pytest.mark.parametrize("path", [path for method, path, _ in ENDPOINTS if method == "GET"])


def fill(path: str, values: Any) -> str:
    """Return the path with `values(parameter)` in the place of each parameter."""
    return NAME.sub(lambda found: values(found[1]), path)


def example(path: str) -> str:
    """Return a path at which there is something."""
    return fill(path, lambda name: example_of(path, name))


def example_of(path: str, name: str) -> str:
    """Return a value of a path's parameter for which there is something."""
    key = path if name == "name" else name
    assert key in EXAMPLES, f"write into EXAMPLES of {__file__} a value of {{{name}}} in {path}: {key!r}"
    return EXAMPLES[key]


def nothing_there(name: str) -> str:
    """Return a value of a path parameter that is well formed and that nothing has."""
    return "987654321" if name in NUMBERS else EXAMPLES["extension"] if name == "extension" else "no_such_name"


def assert_problem(answer: Any, status: int) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    body = answer.json()
    assert body.keys() == {"type", "title", "status", "detail", "errors"}
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[TestClient]:
    """An application with one webhook, one experiment, trained to its end, and one data set."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("served"), sweep_seconds=3600)
    shutil.copy(migrated_sqlite, settings.data_dir)
    with TestClient(create_app(settings), base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
        assert client.post("/webhooks", json={"url": "https://lab.example/", "events": HOOK_EVENTS}).status_code == 201
        arms = {"arms": [{"label": "a"}, {"label": "b", "drop_last": True}], "baseline": "a", "study": "chain"}
        small = {"model": {"name": "mlp", "hidden": [4]}, "seeds": 1, "epochs": 1, "keep": "final", **arms}
        assert client.post("/experiments", json=small).status_code == 202
        with closing(Worker(settings, threading.Event(), cores=1)) as work:
            work()
        rows = "\n".join(["a,label", *(f"{i},{i % 2}" for i in range(40))])
        sent = client.post("/datasets", files={"file": ("table.csv", rows.encode())}, data={"target": "label"})
        assert sent.status_code == 201, sent.text
        yield client


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[TestClient]:
    """An application with an API key, asked by somebody who has none."""
    folder = tmp_path_factory.mktemp("guarded")
    shutil.copy(migrated_sqlite, folder)
    create(folder / "keys", "lab")
    settings = Settings(data_dir=folder, sweep_seconds=3600, api_keys_file=folder / "keys")
    with TestClient(create_app(settings), base_url="http://lab.example") as client:
        yield client


@of_every_endpoint
def test_it_is_in_the_document_and_can_answer_with_a_problem(method: str, path: str) -> None:
    assert path in DOCUMENT["paths"], "it is not documented"
    documented = DOCUMENT["paths"][path][method.lower()]
    assert documented.get("description"), "it has no docstring, which is what users read of it"
    named = documented["responses"]["default"]["$ref"].rpartition("/")[2]
    (media,) = DOCUMENT["components"]["responses"][named]["content"].items()
    assert media == ("application/problem+json", {"schema": {"$ref": "#/components/schemas/ProblemOut"}})
    assert documented.get("security", []) == ([] if path in OPEN else [{"api_key": []}, {"session": []}])
    assert DOCUMENT["components"]["securitySchemes"]["api_key"].items() >= {"type": "http", "scheme": "bearer"}.items()


@pytest.mark.parametrize("path", PATHS)
def test_it_has_a_test_of_its_own(path: str) -> None:
    asked = r'[^/"\s]+'.join(map(re.escape, NAME.split(path)[::2]))
    assert re.search(rf'{asked}[?"]', TESTED), f"test in {Path(__file__).parent} what {path} answers"


@of_every_endpoint
def test_no_other_endpoint_takes_its_requests(method: str, path: str) -> None:
    takers = [
        taken
        for allowed, taken, route in ENDPOINTS
        if allowed == method and route.path_regex.match(fill(path, nothing_there))
    ]
    assert takers[0] == path


@pytest.mark.parametrize(
    ("method", "path"),
    [(method, path) for method, path, _ in ENDPOINTS]
    + [("GET", route.path) for route in create_app(Settings()).routes if isinstance(route, Route)],
    ids=lambda text: text,
)
def test_without_a_key_nothing_is_answered_but_whether_it_lives(guarded: TestClient, method: str, path: str) -> None:
    answer = guarded.request(method, fill(path, nothing_there))
    if method == "GET" and path.startswith("/manual"):
        assert answer.status_code in (200, 404), "nor does the manual, built or not"
    elif method == "GET" and is_page(path):
        assert answer.status_code == (404 if "{" in path else 200), "a page holds nothing of the lab's"
    elif method == "GET" and path in OPEN:
        assert answer.status_code == 200
    else:
        assert_problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"


@of_every_endpoint
def test_a_page_of_elsewhere_has_no_browser_change_anything(served: TestClient, method: str, path: str) -> None:
    """Form posts and bodyless ones need no leave of the service's before they are sent: it has to refuse them."""
    answer = served.request(method, fill(path, nothing_there), headers={"Sec-Fetch-Site": "cross-site"})
    if method == "GET":
        assert answer.status_code != 403
    else:
        assert_problem(answer, 403)


@of_every_parameter
def test_what_is_not_there_is_a_404(served: TestClient, method: str, path: str, parameter: str) -> None:
    asked = fill(path, lambda name: nothing_there(name) if name == parameter else example_of(path, name))
    assert_problem(served.request(method, asked), 404)


@pytest.mark.parametrize("path", PATHS)
def test_a_method_that_it_has_not_is_a_405(served: TestClient, path: str) -> None:
    allowed = {method for method, other, _ in ENDPOINTS if other == path}
    (unknown, *_) = (method for method in ("PUT", "PATCH", "DELETE") if method not in allowed)
    answer = served.request(unknown, example(path))
    assert_problem(answer, 405)
    known = {*allowed, "OPTIONS", *(["HEAD"] if "GET" in allowed else [])}
    assert answer.headers["allow"] == ", ".join(sorted(known))
    options = served.options(example(path))
    assert (options.status_code, options.content, options.headers["allow"]) == (204, b"", answer.headers["allow"])


@of_every_endpoint
def test_a_query_parameter_that_it_has_not_is_a_422(served: TestClient, method: str, path: str) -> None:
    answer = served.request(method, example(path), params={"no_such": "1"})
    assert_problem(answer, 422)
    assert answer.json()["errors"][0]["path"] == "no_such"


@of_those_with_numbers
@pytest.mark.parametrize("nonsense", ["0", "-1", "1.5", "one", "9" * 30, "%00", "1;DROP"])
def test_an_id_that_is_none_is_a_422(served: TestClient, method: str, path: str, nonsense: str) -> None:
    asked = fill(path, lambda name: nonsense if name.endswith("_id") else example_of(path, name))
    assert_problem(served.request(method, asked), 422)


@of_those_that_read
def test_what_is_there_is_answered_as_documented_by_head_too_and_revalidated_where_that_is_promised(
    served: TestClient, path: str
) -> None:
    answer = served.get(example(path))
    assert answer.status_code == 200, answer.text
    head = served.head(example(path))
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == answer.headers["content-type"]
    documented = DOCUMENT["paths"][path]["get"]["responses"]
    assert ("etag" in answer.headers) == ("304" in documented), "an ETag and a documented 304 go together"
    if "304" in documented:
        tag = answer.headers["etag"]
        again = served.get(example(path), headers={"If-None-Match": f'"another", W/{tag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert served.get(example(path), headers={"If-None-Match": '"another"'}).content == answer.content


def test_a_file_with_a_router_is_served_by_existing(tmp_path: Path) -> None:
    copy_sources(tmp_path)
    (tmp_path / "api" / "routes" / "foo.py").write_text(ROUTE)
    look = (
        "from api.app import create_app; from core.settings import Settings\n"
        "print(list(create_app(Settings()).openapi()['paths']['/foo']['get']['responses']))"
    )
    environment = {"PYTHONPATH": str(tmp_path)}
    told = subprocess.run([sys.executable, "-c", look], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert told.stdout.strip() == "['200', '401', '403', '405', '422', '429', '503', 'default']", told.stderr


def test_a_file_without_a_router_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "planted_routes"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "foo.py").write_text(ROUTE)
    monkeypatch.syspath_prepend(tmp_path)
    planted = importlib.import_module("planted_routes")
    assert [[route.path for route in router.routes] for router in routes.discover(planted)] == [["/foo"]]  # type: ignore[attr-defined]
    (package / "bar.py").write_text(ROUTE.replace("router", "routes"))
    with pytest.raises(TypeError, match=r"planted_routes\.bar has no `router`"):
        routes.discover(planted)
