"""What is lost is found, once, and what will never work is given up."""

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, func, select
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.errors import Conflict, NotFound
from core.experiments.cohorts.events import record_event
from core.experiments.cohorts.leases import end, poll_requests, renew
from core.experiments.cohorts.process_ids import is_dead, this_process
from core.experiments.cohorts.recovery import MOST_LOST, recover_attempt
from core.experiments.maintenance import sweep
from core.experiments.maintenance import sweeper as sweeper_module
from core.experiments.maintenance.sweeper import Sweeper
from core.experiments.queries import read
from core.experiments.queries.progress import progress_of
from core.experiments.requests import cancel, delete
from core.queue import Dispatcher, celery_app
from core.settings import Settings
from core.store import Database, Event, Experiment, Status
from tests.core.experiments import at_looks, at_rungs
from tests.core.experiments.claims import expire, queued, statuses, take, taken

HOLDER = "from core.experiments.cohorts.process_ids import this_process; print(this_process(), flush=True); input()"


def test_a_live_lease_is_left_alone(database: Database) -> None:
    experiment = queued(database)
    taken(database)
    assert sweep(database, 0) == (0, 0, {})
    assert statuses(database, experiment) == {"running"}


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_jumps_in_a_process_moves_no_lease(
    database: Database, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """Leases are counted by the database's clock alone, in the claim, in the renewal and in the sweep."""
    experiment = queued(database)
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + 3600 * hours)
    held = taken(database)
    with database.transaction() as session:
        renew(session, held, 30)
    monkeypatch.undo()
    assert sweep(database, 0) == (0, 0, {})
    expire(database, held)
    monkeypatch.setattr(time, "time", lambda: right() - 3600 * hours)
    assert sweep(database, 0).rescued == 1
    assert statuses(database, experiment) == {"queued"}


def test_a_dead_process_of_this_host_loses_its_cohort_before_its_lease_ends(database: Database) -> None:
    experiment = queued(database)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        holder = process.stdout.readline().strip()
        taken(database, holder, lease=3600)
        assert not is_dead(holder)
        assert sweep(database, 0).rescued == 0
        process.kill()
        process.wait()
    assert is_dead(holder)
    assert sweep(database, 0).rescued == 1
    assert statuses(database, experiment) == {"queued"}


def test_a_process_of_another_host_is_never_declared_dead() -> None:
    _, pid, started = this_process().rsplit("/", 2)
    assert not is_dead(this_process())
    assert not is_dead(f"another host/{pid}/{started}")
    assert not is_dead("another host/999999999/0")


def test_a_pid_that_was_given_to_a_younger_process_is_not_the_holder() -> None:
    host, pid, started = this_process().rsplit("/", 2)
    assert is_dead(f"{host}/{pid}/{float(started) - 3600:.0f}")


def test_a_run_that_takes_its_workers_with_it_fails_with_the_reason(database: Database) -> None:
    experiment = queued(database, seeds=1)
    for attempt in range(1, MOST_LOST + 1):
        held = taken(database)
        assert held.attempt == attempt
        expire(database, held)
        sweep(database, 0)
    assert take(database) is None
    assert statuses(database, experiment) == {"failed"}
    with database.reading() as session:
        error = read.runs(session, experiment)[0].error or ""
        assert f"{MOST_LOST} attempts without progress, after update 0 of 15" in error
        assert "fell silent" in error


def test_a_cohort_given_back_is_not_counted_as_lost(database: Database) -> None:
    experiment = queued(database)
    for _ in range(MOST_LOST + 2):
        held = taken(database)
        with database.transaction() as session:
            end(session, held, Status.QUEUED)
    assert statuses(database, experiment) == {"queued"}


def test_cancelling_a_cohort_whose_worker_is_dead_is_done_by_the_sweeper(database: Database) -> None:
    experiment = queued(database)
    held = taken(database)
    with database.transaction() as session:
        cancel(session, read.experiment(session, experiment))
    with database.reading() as session:
        assert poll_requests(session, held) == "cancel"
        assert progress_of(session, read.experiment(session, experiment)).cancelling
    expire(database, held)
    assert sweep(database, 0).ended == 1
    assert statuses(database, experiment) == {"cancelled"}


def test_cancelling_a_queued_experiment_ends_it_at_once_and_again_changes_nothing(database: Database) -> None:
    experiment = queued(database, cohorts=2)
    for _ in range(2):
        with database.transaction() as session:
            one = read.experiment(session, experiment)
            cancel(session, one)
            assert one.status == "cancelled"
    assert take(database) is None


def test_waiting_cohorts_are_counted_once_they_have_waited(database: Database) -> None:
    queued(database, cohorts=3)
    assert sweep(database, 3600).waiting == {}
    assert sweep(database, -1).waiting == {"cpu": 3, "gpu": 3}


def test_only_what_has_ended_can_be_deleted_and_then_all_of_it_is_gone(database: Database) -> None:
    experiment = queued(database)
    with pytest.raises(Conflict, match="cancel it first"), database.transaction() as session:
        delete(session, read.experiment(session, experiment))
    with database.transaction() as session:
        cancel(session, read.experiment(session, experiment))
    with database.transaction() as session:
        delete(session, read.experiment(session, experiment))
    with database.reading() as session:
        assert read.runs(session, experiment) == []
        with pytest.raises(NotFound):
            read.experiment(session, experiment)
    assert queued(database) > experiment


def test_a_sweeper_that_was_slow_does_not_end_the_next_attempt(database: Database) -> None:
    """It saw attempt 1 expire; before it could act another sweeper did, and a worker claimed the cohort again."""
    experiment = queued(database)
    stale = taken(database)
    expire(database, stale)
    assert sweep(database, 0).rescued == 1
    live = taken(database, "another host/2/0")
    with database.transaction() as session:
        assert recover_attempt(session, stale.cohort_id, stale.attempt, "late") is None
    with database.reading() as session:
        assert poll_requests(session, live) is None
    assert statuses(database, experiment) == {"running"}


def _swept_until_queued(database: Database, experiment: int, folder: Path) -> Sweeper:
    """A sweeper that swept until an experiment was queued again, and was closed then."""
    settings = Settings(data_dir=folder, sweep_seconds=0.02)
    dispatcher = Dispatcher(celery_app(settings))
    sweeper = Sweeper(database, dispatcher, settings)
    deadline = time.monotonic() + 20
    while statuses(database, experiment) != {"queued"}:
        assert time.monotonic() < deadline
    sweeper.close()
    dispatcher.close()
    return sweeper


def test_the_sweeper_outlives_a_database_that_does_not_answer(database: Database, tmp_path: Path) -> None:
    """A pool that times out raises no DBAPIError; a sweeper that ended of it would never be missed."""
    experiment = queued(database)
    expire(database, taken(database))
    troubles = 0

    def broker_error(_connection: Connection) -> None:
        nonlocal troubles
        if threading.current_thread().name == "sweeper" and troubles < 3:
            troubles += 1
            raise PoolTimeout("no connection within 30 s")

    event.listen(database.engine, "begin", broker_error)
    _swept_until_queued(database, experiment, tmp_path)
    assert troubles == 3


@pytest.mark.parametrize("kind", ["rung", "look"])
@pytest.mark.parametrize("later", [{"rotation": 4}, {"optimizer": {"name": "of_tomorrow"}, "rotation": 4}])
def test_what_it_cannot_read_holds_up_nothing(database: Database, kind: str, later: dict[str, Any]) -> None:
    """As an API of before, while one of later code takes experiments: the sweeps ended with the first of them."""
    compared = at_rungs.posted(database) if kind == "rung" else at_looks.posted(database)
    for _ in range(3):
        held = taken(database)
        at_rungs.arrive(database, held, deciding=False) if kind == "rung" else at_looks.finish(database, held)
    lost = queued(database)
    expire(database, taken(database))
    with database.transaction() as session:
        row = session.get_one(Experiment, compared)
        understood = row.spec
        row.spec = row.spec | later
        for _ in range(1000):  # more than are read at once: it was said again with every sweep
            record_event(session, compared, "edited")
    for rescued in (1, 0):
        assert sweep(database, 0).rescued == rescued
    assert statuses(database, lost) == {"queued"}
    with database.reading() as session:
        said = select(func.count()).where(Event.experiment_id == compared, Event.kind == "unreadable")
        assert session.scalar(said) == 1
    with database.transaction() as session:
        session.get_one(Experiment, compared).spec = understood
    sweep(database, 0)
    with database.reading() as session:
        assert kind in session.scalars(select(Event.kind).where(Event.experiment_id == compared)).all()


def test_the_sweeper_outlives_what_nobody_thought_of(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = sweeper_module.sweep
    failures = iter(range(2))

    def fails_twice(*given: Any, **more: Any) -> Any:
        if next(failures, None) is not None:
            raise ZeroDivisionError
        return done(*given, **more)

    monkeypatch.setattr(sweeper_module, "sweep", fails_twice)
    experiment = queued(database)
    expire(database, taken(database))
    sweeper = _swept_until_queued(database, experiment, tmp_path)
    assert sweeper.failures == 2
