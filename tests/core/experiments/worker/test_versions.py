"""Workers of before, beside an API and a database of later: what they may not understand they leave to others."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select, text

from core.datasets import DatasetPaths
from core.experiments.cohorts.events import events
from core.experiments.queries import read
from core.experiments.worker.worker import Worker
from core.settings import Settings
from core.spec import parse
from core.store import Cohort, Database, Experiment, Status
from core.store.migrate import revision
from core.training import train
from tests.core.experiments.submitting import submit
from tests.core.experiments.waiting import Ending, until

SMALL: dict[str, Any] = {"model": {"name": "mlp", "hidden": [8]}, "seeds": 1}
LATER: dict[str, dict[str, Any]] = {
    "a field": {"rotation": 4},
    "an initializer": {"initializer": {"name": "of_tomorrow", "gain": 2.0}},
    "a layer's initializer": {"initializer": {"name": "per_layer", "layers": {"fc1": {"name": "of_tomorrow"}}}},
    "a layer": {"model": {"name": "sequential", "layers": [{"name": "of_tomorrow"}]}},
    "a value": {"epochs": "as long as it takes"},
}
"""Changes of a stored spec that this code does not know."""
NAMED = dict.fromkeys(LATER, "of_tomorrow") | {"a field": "rotation", "a layer": "sequential", "a value": "epochs"}
"""What is named as missing."""


def _posted(database: Database, **more: Any) -> int:
    with database.transaction() as session:
        return submit(session, parse(SMALL | more), DatasetPaths())[0].id


@contextmanager
def _working(database: Database, place: Ending | None = None) -> Iterator[Worker]:
    url = database.engine.url.render_as_string(hide_password=False)
    with closing(Worker(Settings(database_url=url), threading.Event(), cores=2, place=place)) as worker:
        yield worker


def _status(database: Database, experiment: int) -> str:
    with database.reading() as session:
        return session.get_one(Experiment, experiment).status


def _upgraded(database: Database, to: str = "9999") -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": to})


@pytest.mark.parametrize("what", LATER)
def test_a_spec_of_later_waits_for_a_worker_that_understands_it(database: Database, what: str) -> None:
    first, second = _posted(database), _posted(database)
    with database.transaction() as session:
        row = session.get_one(Experiment, first)
        understood = row.spec
        row.spec = row.spec | LATER[what]
    for taken in (1, 0):  # another process says nothing that has been said
        with _working(database) as worker:
            assert (worker(), worker()) == (taken, 0)
    assert (_status(database, first), _status(database, second)) == (Status.QUEUED, Status.SUCCEEDED)
    with database.reading() as session:
        said = [event for event in events(session, first) if event.kind == "unreadable"]
        assert len(said) == 1
        assert said[0].detail.keys() == {"worker", "software", "why"}
        assert NAMED[what] in said[0].detail["why"]
        assert set(session.scalars(select(Cohort.attempt).where(Cohort.experiment_id == first))) == {0}
    with database.transaction() as session:
        session.get_one(Experiment, first).spec = understood
    with _working(database) as worker:  # of the code that knows it
        assert worker() == 1
    assert _status(database, first) == Status.SUCCEEDED


def test_after_an_upgrade_it_takes_nothing_and_ends(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting, place = _posted(database), Ending()
    with _working(database) as worker:
        _upgraded(database)
        assert worker() == 0
    monkeypatch.setattr("core.experiments.cohorts.heartbeat.BEAT", 0.05)
    with _working(database, place):
        assert place.ended.wait(30)
    assert place.told == ["leaves", "ends"]
    assert _status(database, waiting) == Status.QUEUED


def test_what_it_trains_goes_on_elsewhere_from_there(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.experiments.cohorts.heartbeat.BEAT", 0.05)
    experiment, place = _posted(database, epochs=400), Ending()
    with database.engine.connect() as connection:
        _, head = revision(connection)
    assert head is not None
    with _working(database, place) as worker:
        training = threading.Thread(target=worker)
        training.start()
        until(database, lambda session: any(run.steps_done for run in read.runs(session, experiment)))
        _upgraded(database)
        assert place.ended.wait(30)
        training.join()
    with database.reading() as session:
        last = events(session, experiment)[-1]
        assert (last.kind, last.detail["step"] > 0) == ("released", True)
    _upgraded(database, to=head)
    with _working(database) as worker:
        assert worker() == 1
    [expected] = train(parse(SMALL | {"epochs": 400}), DatasetPaths()).series("train_loss")
    with database.reading() as session:
        [found] = read.series(session, experiment, metrics=["train_loss"])
        assert np.array_equal(found.values, expected.values)
