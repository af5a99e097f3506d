"""The application in this process, on SQLite, without a worker."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.keys import stored
from core.experiments.worker.worker import Worker
from core.settings import Settings
from core.store import Database
from tests.api.keyed import Make, Sent, look_again, sent_with
from tests.core.experiments.claims import queued, taken
from tests.core.experiments.fake_worker import Hand


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", sweep_seconds=3600)


@pytest.fixture
def client(settings: Settings, migrated_sqlite: Path) -> Iterator[TestClient]:
    settings.data_dir.mkdir()
    shutil.copy(migrated_sqlite, settings.data_dir)
    with TestClient(create_app(settings), base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
        yield client


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[TestClient]:
    """One application for all tests of a module, none of which has it store anything: its processes start once."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("shared"), sweep_seconds=3600)
    shutil.copy(migrated_sqlite, settings.data_dir)
    with TestClient(create_app(settings), base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
        yield client


@pytest.fixture
def work(client: TestClient, settings: Settings) -> Iterator[Callable[[], int]]:
    """Does what is queued."""
    del client  # which made the database
    with closing(Worker(settings, threading.Event(), cores=1)) as worker:
        yield worker


@pytest.fixture
def database(client: TestClient, settings: Settings) -> Iterator[Database]:
    del client  # which made it
    opened = Database(settings.database)
    yield opened
    opened.dispose()


@pytest.fixture
def make(client: TestClient, database: Database) -> Make:
    """Makes a key in the database, and returns the header that sends it."""

    def make(name: str, *words: str, days: float | None = None) -> Sent:
        with database.transaction() as session:
            made = stored.create(session, name, words, days)
        look_again(client)
        return sent_with(made)

    return make


@pytest.fixture
def admin(make: Make) -> Sent:
    """Sends the key of an admin."""
    return make("admin", "scope=admin")


@pytest.fixture
def trained(client: TestClient, settings: Settings) -> str:
    """The path of the series of an experiment with a run that diverged."""
    database = Database(settings.database)
    experiment = queued(database)
    hand = Hand.of(database, taken(database))
    hand.train(30)
    hand.train(9, diverged=1)
    database.dispose()
    return f"/experiments/{experiment}/metrics"
