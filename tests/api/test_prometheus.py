"""`/metrics` tells what the service sees, and goes on when the database is away."""

import shutil
import sqlite3
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request

from api.app import create_app
from api.keys import create
from core.experiments.cohorts.events import COUNTS, increment
from core.logs import Text
from core.settings import Settings
from core.store import Database
from tests.service.running import until

SPEC = {"arms": [{"label": "a"}, {"label": "b"}], "seeds": 2, "epochs": 1, "model": {"name": "mlp", "hidden": [4]}}


def scrape(client: TestClient) -> dict[str, dict[tuple[str, ...], float]]:
    """Every sample: its values by the labels', by its name."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found: dict[str, dict[tuple[str, ...], float]] = {}
    families = [*text_string_to_metric_families(answer.text)]
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    for family in families:
        assert family.documentation
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def test_the_database_is_counted(client: TestClient, settings: Settings) -> None:
    assert client.post("/experiments", json=SPEC).status_code == 202
    database = Database(settings.database)
    with database.transaction() as session:
        increment(session, "rescues", 3)
    database.dispose()
    found = scrape(client)
    assert found["initlab_database_up"] == {(): 1}
    assert found["initlab_rescues_total"] == {(): 3}
    assert {name for name in COUNTS if f"initlab_{name}_total" not in found} == set()
    assert found["initlab_experiments"][("queued",)] == 1
    assert found["initlab_cohorts"] == {("queued",): 1, ("running",): 0, ("paused",): 0, ("waiting",): 0}
    assert found["initlab_runs"] == {("queued",): 4, ("running",): 0}
    assert found["initlab_oldest_queued_seconds"][()] > 0
    assert found["initlab_workers"] == {("cpu",): 0, ("gpu",): 0}
    ((labels, one),) = found["initlab_build_info"].items()
    assert one == 1
    assert {version("initlab"), "sqlite", sqlite3.sqlite_version} < set(labels)
    assert "" not in labels


def test_this_process_is_counted(client: TestClient) -> None:
    client.post("/experiments", json=SPEC)
    dispatcher = client.app.state.service.dispatcher  # type: ignore[attr-defined]
    until(lambda: dispatcher.idle)
    found = scrape(client)
    assert found["initlab_rings_total"] == {(): 2}
    assert found["initlab_ring_failures_total"] == {(): 0}
    assert found["initlab_sweeps_total"] == {(): 0}
    assert found["initlab_sweep_failures_total"] == {(): 0}


def test_requests_are_counted_by_the_routes_template(client: TestClient) -> None:
    for path in ("/experiments/7", "/experiments/8", "/nowhere/7", "/nowhere/8"):
        assert client.get(path).status_code == 404
    client.request("PROPFIND", "/experiments/7")
    client.get("/experiments/7", headers={"Host": "attacker.example"})
    found = scrape(client)
    assert found["initlab_http_requests_total"] == {
        ("GET", "/experiments/{experiment_id}", "404"): 2,
        ("GET", "none", "404"): 2,
        ("GET", "none", "403"): 1,
        ("other", "/experiments/{experiment_id}", "405"): 1,
    }
    assert found["initlab_http_request_seconds_count"][("GET", "/experiments/{experiment_id}")] == 2
    assert 0 < found["initlab_http_request_seconds_sum"][("GET", "/experiments/{experiment_id}")] < 60
    assert not any(name.endswith("_created") for name in found)


def test_without_the_database_it_says_so_and_what_it_has_itself(client: TestClient, settings: Settings) -> None:
    shutil.rmtree(settings.data_dir)
    client.app.state.service.database.dispose()  # type: ignore[attr-defined]
    found = scrape(client)
    assert found["initlab_database_up"] == {(): 0}
    assert found["initlab_sweeps_total"] == {(): 0}
    assert "initlab_rescues_total" not in found
    assert "initlab_experiments" not in found
    ((labels, _),) = found["initlab_build_info"].items()
    assert {version("initlab"), "sqlite", ""} == set(labels)


def test_two_applications_in_one_process_count_apart(client: TestClient, settings: Settings) -> None:
    client.get("/healthz")
    with TestClient(create_app(settings), base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as other:
        assert "initlab_http_requests_total" not in scrape(other)


def test_it_needs_a_key_where_there_are_keys(tmp_path: Path, settings: Settings) -> None:
    key = create(tmp_path / "keys", "lab")
    app = create_app(settings.model_copy(update={"api_keys_file": tmp_path / "keys"}))
    with TestClient(app, base_url="http://lab.example") as client:
        assert client.get("/metrics").status_code == 401
        assert client.get("/metrics", headers={"Authorization": f"Bearer {key}"}).status_code == 200


@pytest.fixture
def failing(settings: Settings, migrated_sqlite: Path) -> Iterator[TestClient]:
    """A service one of whose routes has a fault."""
    settings.data_dir.mkdir()
    shutil.copy(migrated_sqlite, settings.data_dir)
    app = create_app(settings)

    @app.get("/experiments/{experiment_id}/fault")
    def fault(request: Request) -> None:
        raise ZeroDivisionError

    client = TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 1), raise_server_exceptions=False)
    with client:
        yield client


def test_a_request_has_an_id_that_its_answer_and_its_log_carry(
    failing: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert failing.get("/healthz", headers={"X-Request-ID": "mine-1"}).headers.get_list("X-Request-ID") == ["mine-1"]
    made = {failing.get("/healthz", headers={"X-Request-ID": "not one, but\twords"}).headers["X-Request-ID"]}
    made.add(failing.get("/healthz").headers["X-Request-ID"])
    assert len(made) == 2
    assert all(len(one) == 32 for one in made)
    caplog.handler.setFormatter(Text())
    answer = failing.get("/experiments/7/fault", headers={"X-Request-ID": "mine-2"})
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (500, "mine-2")
    assert "request=mine-2" in answer.json()["detail"]
    assert "GET /experiments/7/fault failed experiment=7 request=mine-2\nTraceback" in caplog.text
    assert scrape(failing)["initlab_http_requests_total"][("GET", "/experiments/{experiment_id}/fault", "500")] == 1
