"""The dispatcher beside a broker that dies and comes back: it goes on notifying, and tasks do not pile up."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from celery import Celery

from core.queue.app import celery_app, queue_name
from core.queue.dispatcher import Dispatcher, broker_error
from core.settings import Settings
from tests.backends import redis_server

QUEUE = queue_name("cpu")


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with redis_server(tmp_path) as url:
        yield url


@pytest.fixture
def celery(url: str) -> Iterator[Celery]:
    celery = celery_app(Settings(broker_url=url))
    yield celery
    celery.close()


def test_a_dispatcher_outlives_its_broker(url: str, celery: Celery, tmp_path: Path) -> None:
    """The broker dies while the dispatcher holds an open connection to it, and another one comes up in its place."""
    client = redis.Redis.from_url(url)
    dispatcher = Dispatcher(celery)
    dispatcher.notify("cpu")
    _until(lambda: client.llen(QUEUE) == 1)
    assert broker_error(celery) is None
    client.shutdown(nosave=True)
    dispatcher.notify("cpu")
    _until(lambda: dispatcher.failures >= 1)
    assert broker_error(celery) is not None
    binary = shutil.which("redis-server") or shutil.which("valkey-server") or ""
    port = url.split(":")[-1].split("/")[0]
    again = subprocess.Popen([binary, "--port", port, "--save", "", "--dir", str(tmp_path)], stdout=subprocess.DEVNULL)
    try:

        def notifications() -> bool:
            dispatcher.notify("cpu")
            try:
                return bool(client.llen(QUEUE))  # notifications that waited for the broker come at once
            except redis.ConnectionError:
                return False

        _until(notifications)
        assert broker_error(celery) is None
    finally:
        dispatcher.close()
        client.close()
        again.kill()
        again.wait()


def test_tasks_that_nobody_runs_do_not_pile_up(url: str, celery: Celery) -> None:
    client = redis.Redis.from_url(url)
    dispatcher = Dispatcher(celery)
    for times in (1, 3, 2, 3, 1):
        dispatcher.notify("cpu", times)
        _until(lambda: dispatcher.idle)
    dispatcher.close()
    assert client.llen(QUEUE) == 3
    client.close()
