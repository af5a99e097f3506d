"""How the parts of a deployment start and leave: the database first, and no request lost."""

import json
import signal
import socket
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psutil
import pytest
from sqlalchemy import make_url, text

from core.settings import Settings
from core.store import Database, upgrade
from tests.backends import free_port
from tests.service.alone import accepts, ask, connect, hears, started
from tests.service.proxies import Proxy
from tests.service.running import assert_exact, spec, until

pytestmark = pytest.mark.service


@pytest.fixture
def migrated(tmp_path: Path) -> Path:
    database = Database(Settings(data_dir=tmp_path).database)
    upgrade(database.engine)
    database.dispose()
    return tmp_path


@pytest.mark.parametrize("inherited", [True, False])
def test_an_api_that_leaves_answers_what_is_on_its_way(migrated: Path, inherited: bool) -> None:
    """Idle connections are answered once more; only its own socket goes on accepting, until a second signal ends it."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ExitStack() as left:
        port = listening.getsockname()[1]
        words = ["--fd", str(listening.fileno())]
        files: tuple[int, ...] = (listening.fileno(),)
        if not inherited:
            listening.close()
            words, files = ["--port", str(port)], ()
        given: dict[str, Any] = {"INITLAB_DATA_DIR": str(migrated), "INITLAB_DRAIN_SECONDS": "60"}
        api = left.enter_context(started("api", *words, files=files, **given))
        hears(api, "startup complete")
        until(lambda: accepts(port))
        idle, other, used = (connect(port, left) for _ in range(3))
        assert [ask(one, "/healthz") for one in (idle, other, used)] == [(200, None)] * 3
        api.terminate()
        until(lambda: ask(used, "/healthz") == (200, "close"))
        assert ask(idle, "/readyz") == (503, "close")
        later = connect(port, left)
        assert ask(other, "/healthz") == (200, "close")
        if inherited:
            api.wait(timeout=3)  # nobody is connected any more
            listening.accept()[0].close()  # left for a sibling
        else:
            assert ask(later, "/readyz") == (503, "close")
            api.send_signal(signal.SIGINT)
            api.wait(timeout=3)


def test_programs_are_told_when_and_where_it_answers(migrated: Path) -> None:
    given: dict[str, Any] = {"INITLAB_DATA_DIR": str(migrated)}
    with started("api", "--port", "0", "--json", **given) as api, started("worker", "--json", **given) as worker:
        assert api.stdout is not None
        assert worker.stdout is not None
        told, of_worker = json.loads(api.stdout.readline()), json.loads(worker.stdout.readline())
        assert httpx.get(f"{told['url']}/healthz").status_code == 200
        assert (told["pid"], of_worker["pid"]) == (api.pid, worker.pid)
        assert of_worker["queues"][0] == "cpu"
        jobs = next(p for p in psutil.Process(api.pid).children() if "resource_tracker" not in str(p.cmdline()))
        assert jobs.cmdline() == psutil.Process(api.pid).cmdline(), "what jobs need is imported once, and shared"
        opened = {connection.laddr for connection in psutil.Process(api.pid).net_connections("tcp")}
        assert opened
        assert jobs.net_connections("tcp") == []


def test_they_wait_for_a_database_that_does_not_answer(postgres_url: str, tmp_path: Path) -> None:
    """The service, and the API and the worker of a deployment; then it answers."""
    server = make_url(postgres_url)
    with closing(Proxy((server.host or "127.0.0.1", server.port or 5432))) as proxy, ExitStack() as left:
        proxy.refuse()
        at = server.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
        given: dict[str, Any] = {"INITLAB_DATABASE_URL": at, "INITLAB_DATA_DIR": str(tmp_path / "data")}
        whole = left.enter_context(started("worker.supervisor", "--port", "0", **given))
        parts = [left.enter_context(started(*words, **given)) for words in (["api", "--port", "0"], ["worker"])]
        for process in (whole, *parts):
            hears(process, "waiting for the database: ")
        for process in parts:
            process.terminate()
        assert [process.wait(timeout=5) for process in parts] == [0, 0]
        proxy.allow()
        hears(whole, "startup complete")
        whole.terminate()
        assert whole.wait(timeout=10) == 0
        assert whole.stderr is not None
        assert "waiting for the database" not in whole.stderr.read()


def test_a_database_of_other_code_is_refused(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """By the API and by the worker, which say what to do."""
    database = Database(Settings(data_dir=migrated).database)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.dispose()
    cases = [("api", migrated, "update initlab"), ("worker", migrated, "update initlab")]
    cases.append(("worker", tmp_path_factory.mktemp("empty"), "no tables yet"))
    with ExitStack() as left:
        refusing = [left.enter_context(started(module, INITLAB_DATA_DIR=str(folder))) for module, folder, _ in cases]
        for process, (_, _, words) in zip(refusing, cases, strict=True):
            assert words in process.communicate(timeout=60)[1]
            assert process.returncode == 2


def test_a_worker_of_a_queue_trains_what_names_it_and_nothing_else(migrated: Path) -> None:
    """Its wake-up tasks too: those of another queue go elsewhere."""
    port = free_port()
    given: dict[str, Any] = {"INITLAB_DATA_DIR": str(migrated)}
    small = spec(arms=1, seeds=1, epochs=1)
    with ExitStack() as left:
        left.enter_context(started("api", "--port", str(port), **given))
        worker = left.enter_context(started("worker", "--queues", "lab-3", "--concurrency", "1", **given))
        hears(worker, "queues: lab-3")
        until(lambda: accepts(port))
        client = left.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30))
        others = client.post("/experiments", json=small).json()["id"]
        its = client.post("/experiments", json=small | {"queue": "lab-3"}).json()["id"]
        until(lambda: client.get(f"/experiments/{its}").json()["status"] == "succeeded")
        assert client.get(f"/experiments/{others}").json()["status"] == "queued"
        assert 'initlab_workers{queue="lab-3"} 1.0' in client.get("/metrics").text


def test_a_worker_of_before_hands_on_what_it_trains_when_the_database_is_upgraded(migrated: Path) -> None:
    """With a code that has whoever supervises it start it again: by then it may be another version."""
    port, database = free_port(), Database(Settings(data_dir=migrated).database)
    given: dict[str, Any] = {"INITLAB_DATA_DIR": str(migrated)}
    words = ("worker", "--concurrency", "1")
    with ExitStack() as left:
        left.callback(database.dispose)
        left.enter_context(started("api", "--port", str(port), **given))
        worker = left.enter_context(started(*words, **given))
        until(lambda: accepts(port))
        client = left.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30))
        experiment = f"/experiments/{client.post('/experiments', json=spec(arms=1, epochs=1000)).json()['id']}"
        until(lambda: client.get(experiment).json()["progress"]["steps_done"] > 0, 60)
        with database.engine.begin() as connection:
            known = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        assert worker.wait(timeout=60) == 4
        found = client.get(experiment).json()
        assert (found["status"], found["progress"]["steps_done"] > 0) == ("queued", True)
        with database.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :known"), {"known": known})
        left.enter_context(started(*words, **given))
        until(lambda: client.get(experiment).json()["status"] == "succeeded", 120)
        losses = client.get(f"{experiment}/metrics?metric=train_loss").json()["series"]
        assert_exact(losses, runs=2, steps=15_000)
        kinds = [event["kind"] for event in client.get(f"{experiment}/history").json()["items"]]
        assert (kinds.count("claimed"), kinds.count("released"), "lost" in kinds) == (2, 1, False)
