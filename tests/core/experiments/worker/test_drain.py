"""A process that was asked to leave: it takes nothing any more, gives back what it trains, and ends in between."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from core.datasets import DatasetPaths
from core.errors import NotFound
from core.experiments.cohorts.events import events
from core.experiments.cohorts.heartbeat import workers_alive, workers_by_queue
from core.experiments.cohorts.process_ids import name_of, this_process
from core.experiments.queries import read
from core.experiments.queries.workers import workers_now
from core.experiments.requests import drain_worker
from core.experiments.worker.drain import Drain
from core.experiments.worker.worker import Worker
from core.settings import Settings
from core.spec import parse
from core.store import Database, Status
from tests.core.experiments.submitting import submit
from tests.core.experiments.waiting import Ending, until


def _drain(database: Database) -> None:
    with database.transaction() as session:
        drain_worker(session, name_of(this_process()))


def test_only_a_process_that_is_not_at_work_ends() -> None:
    place = Ending()
    drain = Drain(place)
    signed_off: list[int] = []
    with drain.working():
        for _ in range(2):
            beat = threading.Thread(target=drain.advance, args=[lambda: signed_off.append(1)])
            beat.start()
            beat.join()
        assert (drain.is_set(), place.told, signed_off) == (True, ["leaves"], [])
    drain.advance(lambda: signed_off.append(1))
    assert (place.told, signed_off) == (["leaves", "ends"], [1])


@contextmanager
def _working(database: Database) -> Iterator[tuple[Worker, Ending, int]]:
    """A worker whose process does not end, and an experiment that waits for it."""
    small = {"model": {"name": "mlp", "hidden": [8]}, "arms": [{"initializer": "zeros"}, {}], "epochs": 3000}
    with database.transaction() as session:
        experiment = submit(session, parse(small | {"seeds": 1}), DatasetPaths())[0].id
    place, url = Ending(), database.engine.url.render_as_string(hide_password=False)
    with closing(Worker(Settings(database_url=url), threading.Event(), cores=2, place=place)) as worker:
        yield worker, place, experiment


def test_others_go_on_with_what_it_trains(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.experiments.cohorts.heartbeat.BEAT", 0.05)
    with _working(database) as (worker, place, experiment):
        training = threading.Thread(target=worker)
        training.start()
        until(database, lambda session: any(run.steps_done for run in read.runs(session, experiment)))
        _drain(database)
        assert place.ended.wait(30)
        training.join()
        assert place.told == ["leaves", "ends"]
        assert worker() == 0
    with database.reading() as session:
        assert (read.experiment(session, experiment).status, workers_now(session)) == (Status.QUEUED, [])
        last = events(session, experiment)[-1]
        assert (last.kind, last.detail["why"]) == ("released", "its worker was drained")
        assert last.detail["step"] > 0


def test_it_takes_nothing_from_the_moment_it_was_asked(database: Database) -> None:
    """Not only from its next heartbeat on; and nobody counts on it."""
    with _working(database) as (worker, place, experiment):
        until(database, workers_now)
        _drain(database)
        assert (worker(), place.told) == (0, [])
        with database.reading() as session:
            assert read.experiment(session, experiment).status == Status.QUEUED
            (told,) = workers_now(session)
            assert (told.draining, told.training, told.name) == (True, None, name_of(this_process()))
            assert (workers_alive(session), workers_by_queue(session)) == (0, {})


def test_there_is_no_worker_of_another_name(database: Database) -> None:
    with database.transaction() as session, pytest.raises(NotFound, match="no worker 'nobody-1-abcd'"):
        drain_worker(session, "nobody-1-abcd")


def test_names_tell_processes_apart() -> None:
    holders = ["lab boot a/7/1", "lab boot a/7/2", "lab boot b/7/1", "other boot a/7/1", "lab boot a/8/1"]
    names = [name_of(holder) for holder in holders]
    assert len(set(names)) == 5
    assert names[0].startswith("lab-7-")
