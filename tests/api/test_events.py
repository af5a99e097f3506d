"""Server-sent events over HTTP, from a server in this process that is hurt and started again."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import httpx2 as httpx
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from api import listener_groups
from api.app import create_app
from core.experiments.queries.cursor import Choice
from core.experiments.requests import cancel, delete
from core.experiments.worker.worker import Worker
from core.settings import Settings
from core.store import Database, Experiment, upgrade
from tests.core.experiments.claims import queued, taken
from tests.core.experiments.fake_worker import Hand
from tests.core.experiments.viewer import Viewer, stored

Told = tuple[str, dict[str, Any], str]


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    settings.data_dir.mkdir()
    made = Database(settings.database)
    upgrade(made.engine)
    yield made
    made.dispose()


@contextmanager
def serving(app: FastAPI) -> Iterator[httpx.Client]:
    """A real server: the test client waits for the end of an answer before it gives any of it."""
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=30) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


@contextmanager
def watching(
    client: httpx.Client, experiment: int, last_id: str | None = None, **query: Any
) -> Iterator[Iterator[Told]]:
    """The events of one connection."""
    headers = {} if last_id is None else {"Last-Event-ID": last_id}
    with client.stream("GET", f"/experiments/{experiment}/events", params=query, headers=headers) as answer:
        assert answer.status_code == 200
        yield _parsed(answer.iter_lines())


def _parsed(lines: Iterator[str]) -> Iterator[Told]:
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line:
            fields[name] = value
        elif "data" in fields:
            yield fields["event"], json.loads(fields["data"]), fields["id"]
            fields = {}


def until(told: Iterator[Told], viewer: Viewer, kind: str, **data: Any) -> None:
    """Apply events up to the first that is of this kind and says that."""
    for event in told:
        viewer.apply(*event)
        if event[0] == kind and event[1].items() >= data.items():
            return
    raise AssertionError(f"the stream ended before {kind} {data}")


def test_a_stream_brings_what_metrics_give_and_ends_with_the_experiment(settings: Settings, database: Database) -> None:
    with serving(create_app(settings)) as client, closing(Worker(settings, threading.Event(), cores=1)) as work:
        wild = {"label": "wild", "optimizer": {"name": "sgd", "lr": 1e12}, "model.activation": "linear"}
        spec = {"arms": [{"initializer": "he_normal"}, wild], "seeds": 2, "epochs": 2, "model": {"name": "mlp"}}
        experiment = client.post("/experiments", json=spec).json()["id"]
        viewer = Viewer()
        with watching(client, experiment) as told:
            until(told, viewer, "state", status="queued")
            work()
            for event in told:
                viewer.apply(*event)
        assert event[0] == "state"
        assert viewer.state == {"status": "succeeded", "paused": False, "cancelling": False, "attempt": 1}
        assert viewer.progress == client.get(f"/experiments/{experiment}").json()["progress"]
        series = client.get(f"/experiments/{experiment}/metrics").json()["series"]
        found = {(one["run_id"], one["metric"]): dict(zip(one["steps"], one["values"], strict=True)) for one in series}
        assert viewer.whole() == found
        assert any(value is None for one in viewer.series.values() for value in one.values())
        over = client.get(f"/experiments/{experiment}/events", headers={"Last-Event-ID": str(viewer.last_id)})
        assert (over.status_code, over.content) == (204, b"")
        over = client.get(f"/experiments/{experiment}/events", params={"after": str(viewer.last_id)})
        assert (over.status_code, over.content) == (204, b"")


def test_a_stream_goes_on_in_another_process_after_a_rollback(settings: Settings, database: Database) -> None:
    experiment = queued(database)
    viewer = Viewer()
    hand = Hand.of(database, taken(database))
    hand.train(20, keep=True)
    hand.train(10)
    with serving(create_app(settings)) as client, watching(client, experiment) as told:
        until(told, viewer, "metric", run_id=2, metric="lr")
    hand.mark_lost()
    hand = Hand.of(database, taken(database))
    hand.train(60)
    hand.finish("succeeded")
    with serving(create_app(settings)) as client, watching(client, experiment, viewer.last_id) as told:
        until(told, viewer, "state", status="succeeded")
    assert viewer.whole() == stored(database, experiment)
    assert len(viewer.rewound) == 1


def test_a_stream_shows_what_was_chosen(settings: Settings, database: Database) -> None:
    experiment = queued(database, cohorts=2)
    for _ in range(2):
        Hand.of(database, taken(database)).train(20)
    chosen: dict[str, Any] = {"metric": ["lr", "valid_loss"], "arm": "arm 1", "seed": 1}
    viewer = Viewer()
    with serving(create_app(settings)) as client, watching(client, experiment, **chosen) as told:
        until(told, viewer, "progress")
    assert viewer.whole() == stored(database, experiment, Choice(metrics=("lr", "valid_loss"), arm="arm 1", seed=1))
    assert {metric for _, metric in viewer.series} == {"lr", "valid_loss"}


def test_a_stream_ends_when_its_experiment_is_deleted(settings: Settings, database: Database) -> None:
    experiment = queued(database)
    viewer = Viewer()
    with serving(create_app(settings)) as client, watching(client, experiment) as told:
        until(told, viewer, "state", status="queued")
        with database.transaction() as session:
            cancel(session, session.get_one(Experiment, experiment))
            delete(session, session.get_one(Experiment, experiment))
        assert "state" not in [kind for kind, *_ in told]
        assert client.get(f"/experiments/{experiment}/events").status_code == 404


def test_a_stream_ends_when_its_process_leaves(settings: Settings, database: Database) -> None:
    experiment = queued(database)
    app = create_app(settings)
    app.state.leaving = threading.Event()
    viewer = Viewer()
    with serving(app) as client, watching(client, experiment) as told:
        until(told, viewer, "state", status="queued")
        app.state.leaving.set()
        rest = [kind for kind, *_ in told]
        assert "state" not in rest


def test_a_stream_outlasts_a_database_that_is_away(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = queued(database)
    hand = Hand.of(database, taken(database))
    viewer = Viewer()
    failed = threading.Event()
    with serving(create_app(settings)) as client, watching(client, experiment) as told:
        until(told, viewer, "state", status="running")

        def away(self: Database) -> Any:
            failed.set()
            raise OperationalError("SELECT 1", {}, Exception("away"))

        with monkeypatch.context() as broken:
            broken.setattr(Database, "reading", away)
            assert failed.wait(10)
        hand.train(10)
        until(told, viewer, "metric", run_id=2, metric="valid_loss")
    assert viewer.whole() == stored(database, experiment)


def test_a_silent_stream_says_that_it_is_alive(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener_groups, "KEEPALIVE_SECONDS", 0.1)
    path = f"/experiments/{queued(database)}/events"
    with serving(create_app(settings)) as client, client.stream("GET", path) as answer:
        assert next(line for line in answer.iter_lines() if line.startswith(":"))
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("query", "last_id", "path"),
    [
        ("?metric=los", None, "metric"),
        ("?first=3", None, "first"),
        ("?seed=-1", None, "seed"),
        ("", "7", "Last-Event-ID"),
        ("?after=7", None, "after"),
        ("?after=7", "8", "Last-Event-ID"),
    ],
)
def test_what_cannot_be_streamed_is_refused(client: TestClient, query: str, last_id: str | None, path: str) -> None:
    spec = {"arms": [{"initializer": "zeros"}], "epochs": 1}
    experiment = client.post("/experiments", json=spec).json()["id"]
    headers = {} if last_id is None else {"Last-Event-ID": last_id}
    answer = client.get(f"/experiments/{experiment}/events{query}", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert [problem["path"] for problem in answer.json()["errors"]] == [path]
    assert client.get("/experiments/9/events").status_code == 404
