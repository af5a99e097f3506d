"""The broker dies, freezes, forgets or repeats itself: posts are accepted all the while, and everything runs once."""

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from core.queue import celery_app, queue_name
from core.settings import Settings
from tests.backends import RedisServer, free_port, postgres_database
from tests.service.running import Running, running, spec, until

pytestmark = pytest.mark.service

SHORT = spec(arms=1, seeds=1, epochs=1)
WHILE = spec(epochs=100)
"""Trains while a test does its harm."""


@pytest.fixture(scope="module")
def service(postgres_server: str, broker: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """On one database: the broker's faults are the same on both, and `test_faults.py` has its worst on both."""
    data = tmp_path_factory.mktemp("data")
    with postgres_database(postgres_server) as url:
        environment = {
            "INITLAB_DATA_DIR": str(data),
            "INITLAB_BROKER_URL": broker.url,
            "INITLAB_DATABASE_URL": url,
        }
        with running(environment, Path(f"{data}.log")) as service:
            yield service


def times_of_posts(service: Running, n: int) -> tuple[list[int], list[float]]:
    """The ids of that many accepted experiments, and how long each post took, in order of length."""
    ids, seconds = [], []
    for _ in range(n):
        started = time.monotonic()
        ids.append(service.post(SHORT))
        seconds.append(time.monotonic() - started)
    return ids, sorted(seconds)


def assert_soon(seconds: list[float]) -> None:
    """No post waits for the broker's answer, which takes 2 s or never comes; of those that wait for a core, few do."""
    assert seconds[len(seconds) // 2] < 2
    assert seconds[-1] < 15


@pytest.mark.thorough
def test_a_broker_that_is_killed_and_comes_back_is_hardly_missed(service: Running, broker: RedisServer) -> None:
    training = service.post(WHILE)
    service.training(training)
    broker.kill()
    ids, seconds = times_of_posts(service, 10)
    assert_soon(seconds)
    health = service.get("/readyz")
    assert (health["status"], health["checks"]["database"]) == ("degraded", "ok")
    broker.start()
    until(lambda: service.get(f"/experiments/{ids[0]}")["status"] != "queued")
    for one in ids:
        assert service.ended(one)["attempt"] == 1
    service.assert_unharmed(training, WHILE)
    assert service.get(f"/experiments/{training}")["attempt"] == 1
    broker.kill()  # and now while nothing trains
    broker.start()
    assert service.ended(service.post(SHORT))["status"] == "succeeded"


def test_a_frozen_broker_holds_up_no_post(service: Running, broker: RedisServer) -> None:
    assert broker.process is not None
    broker.process.send_signal(signal.SIGSTOP)
    try:
        ids, seconds = times_of_posts(service, 30)
        assert_soon(seconds)
        assert service.get("/readyz")["status"] == "degraded"
    finally:
        broker.process.send_signal(signal.SIGCONT)
    for one in ids:
        found = service.ended(one)
        assert (found["status"], found["attempt"]) == ("succeeded", 1)


def test_a_running_task_that_is_delivered_again_and_again_runs_nothing_twice(
    service: Running, broker: RedisServer
) -> None:
    """Celery gives a task back to the queue when its visibility timeout ends, also while it runs: here at once."""
    training = service.post(WHILE)
    service.training(training)
    queued = [service.post(SHORT) for _ in range(4)]
    celery = celery_app(Settings(broker_url=broker.url))
    celery.conf.broker_transport_options |= {"visibility_timeout": 0, "unacked_restore_interval": 0}
    with celery.connection_for_write() as connection:
        channel = connection.default_channel
        while service.get(f"/experiments/{training}")["status"] == "running":
            channel.qos.restore_visible(num=100, interval=1)
    assert channel.client.llen(queue_name("cpu")) < 100
    celery.close()
    for one in (training, *queued):
        found = service.ended(one)
        assert (found["status"], found["attempt"]) == ("succeeded", 1)
    service.assert_unharmed(training, WHILE)


@pytest.mark.thorough
def test_a_broker_that_is_not_there_yet_is_waited_for(service: Running, broker: RedisServer) -> None:
    service.stop()
    broker.kill()
    port = free_port()
    starting = threading.Thread(target=service.start, args=(port,))
    starting.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as early:

        def alive() -> bool:
            try:
                return bool(early.get("/readyz").json()["checks"]["workers"] == "ok")
            except httpx.TransportError:
                return False

        until(alive)
        assert early.get("/readyz").json()["status"] == "degraded"
        experiment = early.post("/experiments", json=SHORT).json()["id"]
        children = [process.pid for process in service.processes("worker")]
        broker.start()
        starting.join(timeout=30)
        assert not starting.is_alive()
    assert service.ended(experiment, 30)["status"] == "succeeded"
    assert [process.pid for process in service.processes("worker")] == children
