"""The database goes away, for a moment or for longer than a lease, or nobody knows whether it committed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx
import psutil
import pytest

from tests.backends import postgres_database
from tests.service.proxies import Proxy
from tests.service.running import Running, running, spec, until

pytestmark = pytest.mark.service

WANTED = spec(epochs=60, checkpoint_every=0.3)
SHORT = spec(arms=1, seeds=1, epochs=1)
LEASE = 3.0


@pytest.fixture(scope="module")
def proxy(postgres_server: str) -> Iterator[Proxy]:
    address = urlsplit(postgres_server)
    made = Proxy((address.hostname or "127.0.0.1", address.port or 5432))
    yield made
    made.close()


@pytest.fixture(scope="module")
def service(postgres_server: str, proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("data")
    with postgres_database(postgres_server) as url:
        before = urlsplit(url)
        through = before._replace(netloc=before.netloc.rpartition("@")[0] + f"@127.0.0.1:{proxy.port}").geturl()
        environment = {
            "INITLAB_DATA_DIR": str(data),
            "INITLAB_DATABASE_URL": f"{through}?sslmode=disable",  # or the proxy could not see a commit
            "INITLAB_LEASE_SECONDS": str(LEASE),
        }
        with running(environment, Path(f"{data}.log")) as service:
            yield service


def status_of(service: Running, path: str) -> tuple[int, httpx.Headers]:
    answer = service.http.get(path)
    return answer.status_code, answer.headers


@pytest.mark.thorough
def test_a_database_that_restarts_again_and_again_costs_no_point(service: Running, proxy: Proxy) -> None:
    experiment = service.post(WANTED)
    for _ in range(4):
        service.training(experiment)
        proxy.refuse()
        code, headers = status_of(service, f"/experiments/{experiment}")
        assert (code, headers["retry-after"]) == (503, "1")
        assert service.http.post("/experiments", json=SHORT).status_code == 503
        assert status_of(service, "/readyz")[0] == 503
        proxy.allow()
        until(lambda: status_of(service, "/readyz")[0] == 200)
    service.assert_unharmed(experiment, WANTED)
    assert service.get(f"/experiments/{experiment}")["attempt"] == 1


def test_a_commit_whose_answer_is_lost_is_made_once(service: Running, proxy: Proxy) -> None:
    experiment = service.post(WANTED)
    service.training(experiment)
    for _ in range(3):
        proxy.cuts_after_commit = 1
        until(lambda: proxy.cuts_after_commit == 0)
    service.assert_unharmed(experiment, WANTED)
    assert service.counters()["flush_retries"] >= 1


def test_a_post_whose_commit_is_not_answered_makes_one_experiment(service: Running, proxy: Proxy) -> None:
    until(lambda: service.get("/readyz")["status"] == "ready")
    headers = {"Idempotency-Key": "once"}
    before = len(service.get("/experiments", limit=200)["items"])

    def post() -> Any:
        return service.http.post("/experiments", json=SHORT, headers=headers)

    proxy.cuts_after_commit = 1
    answers = [post()]
    until(lambda: answers.append(post()) or answers[-1].status_code == 202)
    assert {answer.status_code for answer in answers} <= {202, 503}
    assert service.ended(answers[-1].json()["id"])["status"] == "succeeded"
    assert len(service.get("/experiments", limit=200)["items"]) == before + 1
    proxy.cuts_after_commit = 0


def test_a_database_away_for_longer_than_the_lease_loses_nothing(service: Running, proxy: Proxy) -> None:
    """The worker stops by itself before others may claim; what it measured meanwhile is stored when it can be."""
    experiment = service.post(spec(epochs=4000))
    service.training(experiment)
    [pid] = service.trainers(experiment)
    proxy.refuse()
    try:
        busy = psutil.Process(pid)
        until(lambda: busy.cpu_percent(0.1) < 20, 4 * LEASE)  # it trains no more
    finally:
        proxy.allow()
    until(lambda: status_of(service, "/readyz")[0] == 200)
    until(lambda: service.get(f"/experiments/{experiment}")["attempt"] == 2)
    history = service.history(experiment)
    assert [event["kind"] for event in history] == ["accepted", "claimed", "released", "claimed"]
    assert history[2]["detail"]["why"] == "its worker could not reach the database"
    assert history[3]["detail"]["step"] > 0
    service.http.post(f"/experiments/{experiment}/cancel")
    service.ended(experiment)
    for one in service.losses(experiment):
        assert one["steps"] == list(range(len(one["steps"])))
