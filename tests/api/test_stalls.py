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

from api import job_process, judging_jobs, posting_jobs
from api.app import create_app
from api.bodies import read_body
from api.deps import Reading
from core.errors import MOST_PROBLEMS, InvalidSpec
from core.experiments import requests
from core.settings import Settings
from core.spec import Spec
from core.store import Database, Tag
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


def test_a_report_is_made_once_for_all_who_ask_meanwhile(
    served: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """40 reports of 9,984 runs took 2.7 GB; whatever is asked of an experiment, one of its reports is in the making."""
    service = service_of(served)
    made, making = [], 0
    run = service.pool.run

    async def counted(seconds: float, job: Any, *given: Any) -> Any:
        nonlocal making
        made.append(getattr(job, "func", job))
        making += 1
        assert making == 1
        try:
            return await run(seconds, job, *given)
        finally:
            making -= 1

    answers: list[int] = []
    page = "/experiments/1/report?metric=valid_loss"
    paths = [page] * 30 + [f"{page}&format=md"] * 10
    threads = [
        threading.Thread(target=lambda path=path: answers.append(served.get(path).status_code)) for path in paths
    ]
    with held(served, service.pool, tmp_path):
        monkeypatch.setattr(service.pool, "run", counted)
        for thread in threads:
            thread.start()
        assert served.get("/healthz").status_code == 200
    for thread in threads:
        thread.join()
    assert answers == [200] * 40
    assert made == [judging_jobs.report] * 2


def test_no_lock_is_held_while_a_spec_is_checked(served: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an Idempotency-Key one was, for 50 s of deep networks: every other post and every claim waited."""
    service = service_of(served)
    written = []

    def checked(*_: Any) -> None:
        with service.database.transaction() as session:
            session.add(Tag(experiment_id=1, tag="meanwhile"))
        written.append(True)

    own = Database(service.settings.database, pool_size=1)
    for name, value in (("database", own), ("paths", service.paths), ("settings", service.settings)):
        monkeypatch.setattr(job_process.Process, name, value, raising=False)
    monkeypatch.setattr(requests, "draft", checked)
    sender = posting_jobs.Sender(None, "default", frozenset(), "a key", requests.Limits())
    posting_jobs.draft(b"{}", service.profile, sender)
    own.dispose()
    assert written


def test_a_list_that_is_known_waits_for_no_job(served: TestClient, tmp_path: Path) -> None:
    paths = ("/datasets", "/experiments/1/plots")
    known = [served.get(path).json() for path in paths]
    with held(served, service_of(served).pool, tmp_path):
        assert [served.get(path).json() for path in paths] == known


def test_unknown_fields_are_counted_before_they_are_validated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Spec, "model_validate", None)
    with pytest.raises(InvalidSpec) as refusal:
        read_body(json.dumps({f"f{i}": 0 for i in range(60_000)}).encode(), Spec)
    assert len(refusal.value.problems) == MOST_PROBLEMS + 1
    assert refusal.value.problems[0].path == "f0"
    assert refusal.value.problems[-1].message == "and 59,900 more"


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
