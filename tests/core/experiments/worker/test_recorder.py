"""The recorder while its database fails: points wait, and each is stored once."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sqlalchemy import Connection, event, select
from sqlalchemy.exc import OperationalError

from core.experiments.cohorts.claims import Claim
from core.experiments.cohorts.leases import Fenced, end
from core.experiments.queries import read
from core.experiments.worker.endings import Cancelled, Completed
from core.experiments.worker.recorder import AttemptRecorder, pause_after
from core.files import FilesUnavailable, FolderStore
from core.store import Cohort, Database, Status
from core.training import Checkpoint
from tests.core.experiments.claims import queued, statuses, taken
from tests.core.experiments.recording import recorder_of


class Failing:
    """Makes commits fail while `on`: before they take effect, or, `unknown`, after."""

    def __init__(self, unknown: bool) -> None:
        self.on = False
        self.failures = 0
        self._unknown = unknown

    def __call__(self, connection: Connection) -> None:
        if self.on:
            self.failures += 1
            if self._unknown:
                connection.connection.commit()
            raise OperationalError("COMMIT", {}, Exception("the connection was lost"))


@pytest.fixture(params=["lost", "unknown"])
def failing(request: pytest.FixtureRequest, database: Database) -> Iterator[Failing]:
    fault = Failing(request.param == "unknown")
    event.listen(database.engine, "commit", fault)
    yield fault
    event.remove(database.engine, "commit", fault)


@pytest.fixture
def held(database: Database) -> Claim:
    queued(database)
    return taken(database)


def _until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline


def _measure(recorder: AttemptRecorder, held: Claim, first: int) -> None:
    for lane in held.lanes:
        recorder.record(lane.run, "train_loss", first, np.arange(first, first + 3, dtype=np.float32))
    recorder.advance(first + 3)


def _losses(database: Database, held: Claim) -> list[list[float]]:
    with database.reading() as session:
        found = list(read.series(session, held.experiment_id, metrics=["train_loss"]))
    assert all(series.steps.tolist() == list(range(len(series.steps))) for series in found)
    return [series.values.tolist() for series in found]


def test_points_wait_for_the_database_and_are_stored_once(
    tmp_path: Path, database: Database, held: Claim, failing: Failing
) -> None:
    recorder = recorder_of(database, held, tmp_path, lease=30)
    failing.on = True
    _measure(recorder, held, 0)
    _until(lambda: failing.failures >= 2)
    _measure(recorder, held, 3)
    _until(lambda: failing.failures >= 4)
    assert recorder.reason is None
    failing.on = False
    _until(lambda: _losses(database, held) == [[0, 1, 2, 3, 4, 5]] * 2)
    _measure(recorder, held, 6)
    for lane in held.lanes:
        recorder.finish(lane.run, "completed")
    failing.on = True

    def close() -> None:
        with suppress(Fenced):  # of a commit that took effect unknown to it, the recorder learns that the claim is over
            recorder.close(Completed())

    closing = threading.Thread(target=close)
    before = failing.failures
    closing.start()
    _until(lambda: failing.failures > before)
    failing.on = False
    closing.join()
    assert _losses(database, held) == [[*range(9)]] * 2
    with database.reading() as session:
        runs = read.runs(session, held.experiment_id)
        assert {(run.status, run.outcome, run.steps_done) for run in runs} == {("succeeded", "completed", 9)}
        assert [run.final for run in runs] == [{"train_loss": 8.0}] * 2


def test_a_worker_that_cannot_renew_stops_before_others_may_claim(
    tmp_path: Path, database: Database, held: Claim
) -> None:
    fault = Failing(unknown=False)
    event.listen(database.engine, "commit", fault)
    fault.on = True
    recorder = recorder_of(database, held, tmp_path, lease=1.0)
    _until(recorder.stopped)
    assert recorder.reason == "silent"
    recorder.abandon()
    event.remove(database.engine, "commit", fault)


def test_what_does_not_change_writes_nothing(tmp_path: Path, database: Database, held: Claim) -> None:
    """An idle tick is a read: writes would wear the disk and wake every waiting writer."""
    commits: list[Connection] = []
    event.listen(database.engine, "commit", commits.append)
    recorder = recorder_of(database, held, tmp_path, lease=3600)
    looks = 0

    def poll(*_: object) -> None:
        nonlocal looks
        looks += 1

    event.listen(database.engine, "begin", poll)
    _until(lambda: looks >= 3)
    assert commits == []
    recorder.close(Cancelled())
    assert statuses(database, held.experiment_id) == {"cancelled"}


def test_a_claim_that_ended_elsewhere_stops_the_trainer(tmp_path: Path, database: Database, held: Claim) -> None:
    recorder = recorder_of(database, held, tmp_path, lease=30)
    with database.transaction() as session:
        end(session, held, Status.FAILED, error="ended elsewhere")
    _until(recorder.stopped)
    assert recorder.reason == "fenced"
    with pytest.raises(Fenced):
        recorder.close(Completed())
    assert statuses(database, held.experiment_id) == {"failed"}


def test_a_file_store_that_takes_long_to_fail_costs_no_lease(tmp_path: Path, database: Database, held: Claim) -> None:
    """At the end a checkpoint may still be on its way to a server that a network has cut off."""
    given_up = threading.Event()

    class Away(FolderStore):
        def put(self, name: str, path: Path, sha256: str) -> None:  # noqa: ARG002 the interface's
            given_up.wait(30)
            raise FilesUnavailable(f"{name} could not be stored")

    recorder = recorder_of(database, held, tmp_path, lease=6.0, files=Away(tmp_path))
    recorder.save(Checkpoint(3, 0, [lane.run for lane in held.lanes], {"parameters/w": torch.zeros(2, 3)}))
    closing = threading.Thread(target=recorder.close, args=[Completed()])
    closing.start()
    begun = _lease(database, held)
    _until(lambda: _lease(database, held) != begun)
    given_up.set()
    closing.join()
    assert statuses(database, held.experiment_id) == {"succeeded"}


def _lease(database: Database, held: Claim) -> float:
    with database.reading() as session:
        return float(session.scalar(select(Cohort.lease_until).where(Cohort.id == held.cohort_id)) or 0.0)


@pytest.mark.parametrize(
    ("took", "pause"), [(0.001, 0.2), (0.05, 0.2), (0.1, 0.4), (0.4, 1.6), (0.5, 2.0), (30.0, 2.0)]
)
def test_a_slow_database_is_used_for_a_fifth_of_the_time(took: float, pause: float) -> None:
    """A thousand workers that ask five times a second would otherwise make one that is full fuller."""
    assert pause_after(took) == pytest.approx(pause)
