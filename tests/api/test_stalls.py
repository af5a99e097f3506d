"""What once stalled the service is answered, and keeps nobody waiting; `bench/stalls.py` measures it by a clock."""

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hostile import REQUESTS, sent
from sqlalchemy import create_engine, literal, select

from api.app import create_app
from api.deps import Reading
from core.settings import Settings
from core.store.migrate import upgrade
from tests.api.held import held, service_of

ANSWER = 200_000
"""Bytes of a refusal at most."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[TestClient]:
    """One application for all rows, with an experiment that waits."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), sweep_seconds=3600)
    shutil.copy(migrated_sqlite, settings.data_dir)
    with TestClient(create_app(settings), base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
        assert client.post("/experiments", json={"seeds": 1, "epochs": 1}).json()["id"] == 1
        yield client


@pytest.mark.parametrize("name", REQUESTS)
def test_others_are_answered_while_it_is_in_flight(served: TestClient, tmp_path: Path, name: str) -> None:
    """All processes that compute are taken, so that it waits wherever it is worked on; nobody else may."""
    request = REQUESTS[name]()
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(served.request(**sent(request, 1))))
    for folder in ("pool", "readers"):
        (tmp_path / folder).mkdir()
    service = service_of(served)
    with held(served, service.pool, tmp_path / "pool"), held(served, service.readers, tmp_path / "readers"):
        thread.start()
        assert served.get("/healthz").status_code == 200
        assert served.get("/experiments/1").json()["id"] == 1
        assert served.get("/experiments").status_code == 200
    thread.join()
    assert answers[0].status_code in request.right, answers[0].text
    if answers[0].status_code == 422:
        assert answers[0].headers["content-type"] == "application/problem+json"
        assert len(answers[0].content) < ANSWER
        assert json.loads(answers[0].content)["errors"]


@pytest.mark.parametrize(
    "path", ["/experiments?name=%00", "/experiments?tag=a%00b", "/datasets/a%00b", "/experiments/1/runs?arm=%00"]
)
def test_a_nul_is_refused_by_the_name_of_what_has_it(served: TestClient, path: str) -> None:
    answer = served.get(path)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] in ("name", "tag", "arm")


@pytest.mark.service
def test_what_postgresql_refuses_as_data_is_422(postgres_url: str, tmp_path: Path) -> None:
    engine = create_engine(postgres_url)
    upgrade(engine)
    engine.dispose()
    app = create_app(Settings(data_dir=tmp_path / "data", database_url=postgres_url, sweep_seconds=3600))

    def ask(session: Reading) -> str:
        return str(session.scalar(select(literal("a\0b"))))

    app.add_api_route("/data", ask)
    with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
        assert isinstance(client.app, FastAPI)
        answer = client.get("/data")
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        assert client.get("/experiments?name=%00").status_code == 422
