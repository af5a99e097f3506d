"""Starting, leaving and being replaced, with real processes: no request is lost, and no update done twice."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import httpx2 as httpx
import psutil
import pytest
from sqlalchemy import func, select, text

from core.settings import Settings
from core.store import Database, MetricBlock, Run
from tests.service.alone import connect
from tests.service.running import Running, assert_exact, running, spec, until

pytestmark = pytest.mark.service

SMALL = spec(arms=1, seeds=1, epochs=1)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("restarts")
    with running({"INITLAB_DATA_DIR": str(folder / "data")}, folder / "log") as service:
        yield service


def roll(service: Running) -> None:
    """A rolling restart, from the signal to the training processes of the new worker."""
    before = {process.pid for process in service.processes("api") + service.processes("worker")}

    def replaced() -> bool:
        apis, workers = service.processes("api"), service.processes("worker")
        return len(apis) == 1 and len(workers) == 3 and before.isdisjoint(one.pid for one in apis + workers)

    service.process.send_signal(signal.SIGHUP)
    until(replaced, 60)


class Clients:
    """Threads that each post an experiment on a connection that is kept, look until it has succeeded, and go on."""

    def __init__(self, url: str, number: int) -> None:
        self.accepted: list[int] = []
        self.failures: list[Exception] = []
        self._url = url
        self._enough = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(number)]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join()

    def go_on(self) -> None:
        """Wait until more has been accepted."""
        before = len(self.accepted)
        until(lambda: len(self.accepted) > before + 4 or self.failures, 60)

    def _run(self) -> None:
        try:
            with httpx.Client(base_url=self._url, timeout=30) as http:
                while not self._enough.is_set():
                    answer = http.post("/experiments", json=SMALL)
                    assert answer.status_code == 202, answer.text
                    experiment = answer.json()["id"]
                    self.accepted.append(experiment)
                    until(partial(self._succeeded, http, experiment), 60)
        except (AssertionError, httpx.HTTPError) as failure:
            self.failures.append(failure)

    def _succeeded(self, http: httpx.Client, experiment: int) -> bool:
        answer = http.get(f"/experiments/{experiment}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["status"] in ("queued", "running", "succeeded")
        return bool(answer.json()["status"] == "succeeded")


@pytest.mark.thorough
def test_rolling_restarts_under_load_lose_nothing(service: Running) -> None:
    """Two of them, while clients post and look, and a longer experiment trains."""
    long = service.post(spec(epochs=400))
    service.training(long)
    with Clients(str(service.http.base_url), 4) as clients:
        for _ in range(2):
            clients.go_on()
            roll(service)
    assert clients.failures == []
    assert len(clients.accepted) == len(set(clients.accepted))
    found = service.ended(long)
    assert found["status"] == "succeeded"
    assert found["attempt"] >= 2
    assert_exact(service.losses(long), runs=4, steps=400 * 15)
    for experiment in clients.accepted:
        assert service.ended(experiment)["status"] == "succeeded"
        assert_exact(service.losses(experiment), runs=1, steps=15)
    assert service.http.get("/experiments", params={"limit": 1}).json()["items"][0]["id"] == max(clients.accepted)


def test_connections_wait_for_an_api_that_was_killed(service: Running) -> None:
    [api] = service.processes("api")
    os.kill(api.pid, signal.SIGKILL)
    psutil.wait_procs([api], timeout=10)
    assert service.processes("api") == [] or service.processes("api")[0].pid != api.pid
    with ExitStack() as clients:
        asked = [connect(urlsplit(str(service.http.base_url)).port or 0, clients) for _ in range(8)]
        for connection in asked:
            connection.request("GET", "/healthz")
        assert [connection.getresponse().status for connection in asked] == [200] * 8


def test_a_new_api_that_refuses_to_start_replaces_nothing(service: Running) -> None:
    """As where newer code has upgraded the database: the API goes on, and nothing is trained until it is here."""
    database = Database(Settings(data_dir=Path(service.environment["INITLAB_DATA_DIR"])).database)
    before = [process.pid for process in service.processes("api")]
    with database.engine.begin() as connection:
        known = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    service.process.send_signal(signal.SIGHUP)
    until(lambda: "rolling restart: given up" in service.log.read_text())
    assert "9999" in service.log.read_text()
    until(lambda: "newer code has upgraded the database; SIGHUP" in service.log.read_text(), 60)
    assert service.processes("worker") == []
    assert "9999" in service.http.get("/readyz").json()["checks"]["database"]
    waiting = service.post(SMALL)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :known"), {"known": known})
    database.dispose()
    assert [process.pid for process in service.processes("api")] == before
    service.process.send_signal(signal.SIGHUP)
    assert service.ended(waiting, 90)["status"] == "succeeded"
    until(lambda: service.get("/readyz")["status"] == "ready")


@pytest.mark.thorough
def test_every_signal_has_a_worker_keep_what_it_trained(service: Running) -> None:
    """And the next one goes on exactly where it left: nothing is trained again."""
    farewells = [[signal.SIGTERM, signal.SIGTERM], [signal.SIGQUIT]]
    experiment = service.post(spec(epochs=1500))
    done = [0]
    for attempt, signals in enumerate(farewells, 1):

        def goes_on(attempt: int = attempt) -> bool:
            found = service.get(f"/experiments/{experiment}")
            return bool(found["attempt"] == attempt and found["progress"]["steps_done"] > done[-1])

        until(goes_on, 60)
        processes = service.processes("worker")
        for one in signals:
            processes[0].send_signal(one)
        _, alive = psutil.wait_procs(processes, timeout=30)
        assert alive == []
        done.append(service.get(f"/experiments/{experiment}")["progress"]["steps_done"])
    until(lambda: service.get(f"/experiments/{experiment}")["attempt"] == len(farewells) + 1, 60)
    assert trained(service, experiment)[: len(farewells)] == [b - a for a, b in pairwise(done)]
    service.http.post(f"/experiments/{experiment}/cancel")
    service.ended(experiment)


def trained(service: Running, experiment: int) -> list[int]:
    """The updates of each attempt that counted in the end."""
    database = Database(Settings(data_dir=Path(service.environment["INITLAB_DATA_DIR"])).database)
    losses = select(MetricBlock.attempt, func.sum(MetricBlock.n)).where(MetricBlock.metric == "train_loss")
    mine = losses.join(Run, Run.id == MetricBlock.run_id).where(Run.experiment_id == experiment)
    with database.reading() as session:
        found = session.execute(mine.group_by(MetricBlock.attempt).order_by(MetricBlock.attempt)).all()
    database.dispose()
    return [int(n) for _, n in found]
