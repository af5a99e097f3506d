"""Two applications in one process: each lives on the settings that it was given, and on nothing of the other's."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from fastapi.testclient import TestClient

from api.app import create_app
from core.queue import queue_name
from core.settings import Settings
from tests.backends import RedisServer


@dataclass
class Served:
    """One application and the settings that it was given."""

    client: TestClient
    settings: Settings

    def waiting(self) -> int:
        """Return how many wake-up tasks lie in the broker of its settings, seen without Celery."""
        if not self.settings.broker_url:
            return len(list((self.settings.data_dir / "spool").glob(f"[!.]*.{queue_name('cpu')}.msg")))
        with redis.Redis.from_url(self.settings.broker_url) as broker:
            return int(broker.llen(queue_name("cpu")))

    def broker(self) -> str:
        found: str = self.client.get("/readyz").json()["checks"]["broker"]
        return found

    def post(self) -> None:
        """Post an experiment of one cohort, and wait until its notification has been sent or has failed."""
        answer = self.client.post("/experiments", json={"seeds": 1, "epochs": 1})
        assert answer.status_code == 202, answer.text
        dispatcher = self.client.app.state.service.dispatcher  # type: ignore[attr-defined]
        while not dispatcher.idle:
            pass


@pytest.fixture
def redis_broker(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def pair(request: pytest.FixtureRequest, tmp_path: Path, migrated_sqlite: Path) -> Iterator[tuple[Served, Served]]:
    """Two applications, started one after the other, each on a data directory and a broker of its own."""
    with ExitStack() as open_apps:
        made = []
        for name, broker in zip("ab", request.param, strict=True):
            url = request.getfixturevalue("redis_broker").url if broker == "redis" else ""
            settings = Settings(data_dir=tmp_path / name, broker_url=url, sweep_seconds=3600)
            settings.data_dir.mkdir()
            shutil.copy(migrated_sqlite, settings.data_dir)
            client = TestClient(create_app(settings), base_url="http://127.0.0.1", client=("127.0.0.1", 1))
            made.append(Served(open_apps.enter_context(client), settings))
        yield made[0], made[1]


KINDS = pytest.mark.parametrize(
    "pair", [("redis", "files"), ("files", "redis"), ("files", "files")], indirect=True, ids="-".join
)


@KINDS
def test_a_posted_experiment_wakes_the_workers_of_its_own_broker(pair: tuple[Served, Served]) -> None:
    first, second = pair
    first.post()
    assert (first.waiting(), second.waiting()) == (1, 0)
    second.post()
    assert (first.waiting(), second.waiting()) == (1, 1)


@pytest.mark.parametrize("pair", [("redis", "files"), ("files", "redis")], indirect=True, ids="-".join)
def test_only_the_one_whose_broker_is_gone_is_degraded(pair: tuple[Served, Served], redis_broker: RedisServer) -> None:
    gone, other = sorted(pair, key=lambda one: not one.settings.broker_url)
    assert (gone.broker(), other.broker()) == ("ok", "ok")
    redis_broker.kill()
    assert gone.broker().startswith("cannot be reached")
    assert other.broker() == "ok"
