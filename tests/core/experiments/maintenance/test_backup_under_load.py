"""A backup while others post, send data sets and points, and a worker trains: what was stored before it is in it."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from core.datasets import DatasetPaths, Uploads
from core.experiments import requests
from core.experiments.cohorts.events import events
from core.experiments.maintenance.backup import back_up, restore
from core.experiments.projects import Quotas
from core.experiments.queries import read
from core.experiments.requests.external import Column, receive
from core.experiments.worker.worker import Worker
from core.external import parse as parse_external
from core.files import file_store, upload_place
from core.settings import Settings
from core.spec import parse
from core.store import Database, Run, upgrade
from tests.backends import postgres_database
from tests.core.datasets.uploading import add
from tests.core.experiments.submitting import submit
from tests.repeating import Repeating

EXTERNAL: dict[str, Any] = {
    "kind": "external",
    "arms": [{"label": "one"}],
    "seeds": 1,
    "metrics": [{"name": "score", "direction": "max", "per": "step"}],
}
TRAINED: dict[str, Any] = {
    "model": {"name": "mlp", "hidden": [16], "dropout": 0.1},
    "arms": [{"initializer": "he_normal"}],
    "seeds": 2,
    "epochs": 60,
    "batch_size": 100,
    "checkpoint_every": 0.1,
    "keep": "final",
}


class Load(Repeating):
    """A thread that posts experiments by a key, each with points and a data set, and remembers what was stored."""

    def __init__(self, settings: Settings) -> None:
        self.stored: list[tuple[str, int, int]] = []
        """Key, experiment and run; of each the points and the data set are stored too."""
        self.some = threading.Event()
        self._settings = settings
        super().__init__()

    def act(self) -> None:
        n = len(self.stored)
        with closing_database(self._settings) as database:
            experiment, run = post(database, f"key-{n}")
            for first in range(3):
                with database.transaction() as session:
                    column = Column(first, np.array([n + first / 8]))
                    receive(session, run, {"score": column}, Quotas())
        rows = "x,y\n" + "".join(f"{i + n},{i % 3}\n" for i in range(30))
        add(upload_place(self._settings), rows.encode(), "table.csv", f"table-{n}", target=["y"])
        self.stored.append((f"key-{n}", experiment, run))
        if n > 2:
            self.some.set()


def post(database: Database, key: str) -> tuple[int, int]:
    """Post an external experiment, or find it by its key; returns its id, and its run's."""
    spec = parse_external(EXTERNAL | {"name": key})
    draft = requests.draft_external(spec, requests.fingerprint_of(spec))
    with database.transaction() as session:
        made, _ = requests.submit(session, draft, DatasetPaths(), idempotency_key=key)
        return made.id, session.scalars(select(Run.id).where(Run.experiment_id == made.id)).one()


def train(settings: Settings) -> None:
    with closing(Worker(settings, threading.Event(), cores=2)) as worker:
        worker()


@contextmanager
def closing_database(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database)
    try:
        yield database
    finally:
        database.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Settings]]:
    """The settings of a service with tables, and of an empty place of the same kind."""
    with ExitStack() as made:
        urls = ["", ""]
        if request.param == "postgresql":
            server = request.getfixturevalue("postgres_server")
            urls = [made.enter_context(postgres_database(server)) for _ in urls]
        both = [Settings(data_dir=tmp_path / str(i), database_url=url) for i, url in enumerate(urls)]
        both[0].data_dir.mkdir()
        with closing_database(both[0]) as database:
            upgrade(database.engine)
        yield both


def test_what_was_stored_before_a_backup_began_is_restored(places: list[Settings], tmp_path: Path) -> None:
    before, after = places
    with closing_database(before) as database:
        with database.transaction() as session:
            trained = submit(session, parse(TRAINED), DatasetPaths())[0].id
        worker = threading.Thread(target=train, args=(before,))
        with Load(before) as load:
            worker.start()
            assert load.some.wait(120)
            while not list(file_store(before).below("checkpoints").list()) and worker.is_alive():
                load.some.wait(0.01)
            stored = list(load.stored)
            back_up(before, tmp_path / "backup")
        assert len(load.stored) >= len(stored)
        worker.join()
    restore(after, tmp_path / "backup")
    train(after)
    with closing_database(before) as database, closing_database(after) as restored:
        uploads = Uploads(upload_place(after))
        for n, (key, experiment, run) in enumerate(stored):
            assert post(restored, key) == (experiment, run)
            with restored.reading() as session:
                [series] = read.series(session, experiment)
            assert series.values.tolist() == [n, n + 1 / 8, n + 2 / 8]
            assert uploads.find(f"table-{n}").bytes > 0
        assert points(restored, trained) == points(database, trained)
        with restored.reading() as session:
            lost = [event.detail["why"] for event in events(session, trained) if event.kind == "lost"]
    assert lost == ["the database was restored from a backup"]


def points(database: Database, experiment: int) -> dict[tuple[int, str], list[float]]:
    """Return every series of an experiment that has succeeded."""
    with database.reading() as session:
        assert read.experiment(session, experiment).status == "succeeded"
        found = {(one.run_id, one.metric): one.values.tolist() for one in read.series(session, experiment)}
    assert {len(values) for (_, metric), values in found.items() if metric == "train_loss"} == {60 * 15}
    return found
