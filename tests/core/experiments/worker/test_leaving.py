"""How a training process leaves when it cannot go on: hung, or without its database."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sqlalchemy import Connection, event, select
from sqlalchemy.exc import OperationalError

from core.experiments.cohorts.events import counts, events
from core.experiments.maintenance import sweep
from core.experiments.queries import read
from core.experiments.requests import resume
from core.experiments.worker.endings import Released
from core.experiments.worker.worker import HUNG
from core.store import Cohort, Database, upgrade
from core.training import Checkpoint
from tests.core.experiments.claims import queued, taken
from tests.core.experiments.recording import recorder_of

# For each wish a process: its trainer hands over three updates and never comes back from the fourth. They are forked,
# as nothing was computed yet: to import all that five times would take longer than the rest.
HANG = """
import os, sys, threading
import numpy as np
from pathlib import Path
from core.experiments.queries import read
from core.experiments.requests import cancel, pause
from core.experiments.cohorts.checkpoints import CheckpointStore
from core.experiments.cohorts.leases import end
from core.experiments.worker.recorder import Attempt, AttemptRecorder
from core.experiments.worker.watchdog import STOP_SECONDS, Watchdog
from core.experiments.worker.worker import leave_hung
from core.files import FolderStore
from core.store import Database, Status
from tests.core.experiments.claims import taken

def hang(wish, url):
    database, draining = Database(url), threading.Event()
    held = taken(database)
    watch = Watchdog(0.3, dict.fromkeys(STOP_SECONDS, 0.3))
    store = CheckpointStore(FolderStore(Path("nowhere")), held.cohort_id, held.attempt)
    recorder = AttemptRecorder(
        Attempt(
            database=database, held=held, store=store, lease_seconds=30, draining=draining, on_hang=leave_hung,
            watchdog=watch,
        )
    )
    recorder.stopped()
    for lane in held.lanes:
        recorder.record(lane.run, "train_loss", 0, np.arange(3, dtype=np.float32))
    recorder.advance(3)
    with database.transaction() as session:
        experiment = read.experiment(session, held.experiment_id)
        {
            "nothing": lambda: None,
            "drain": draining.set,
            "cancel": lambda: cancel(session, experiment),
            "pause": lambda: pause(session, experiment),
            "fence": lambda: end(session, held, Status.FAILED, error="ended elsewhere"),
        }[wish]()
    threading.Event().wait()

children = {}
for wish, url in zip(sys.argv[1::2], sys.argv[2::2]):
    children[wish] = os.fork()
    if not children[wish]:
        hang(wish, url)
for wish, child in children.items():
    print(wish, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""

WISHES = {
    "nothing": ("lost", "queued", 1),
    "cancel": ("ended", "cancelled", 0),
    "drain": ("released", "queued", 0),
    "pause": ("released", "queued", 0),
    "fence": ("ended", "failed", 0),  # by another: this one writes nothing
}
"""What is told last, what becomes of the cohort, and what it counts as lost, by what was asked for."""


def until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline


def losses(database: Database, experiment: int) -> list[list[float]]:
    with database.reading() as session:
        return [series.values.tolist() for series in read.series(session, experiment, metrics=["train_loss"])]


def test_a_process_whose_training_hangs_ends_itself_and_leaves_the_cohort_to_others(tmp_path: Path) -> None:
    databases = {wish: Database(f"sqlite:///{tmp_path / f'{wish}.sqlite'}") for wish in WISHES}
    words = [sys.executable, "-c", HANG]
    for wish, database in databases.items():
        upgrade(database.engine)
        queued(database)
        words += [wish, str(database.engine.url)]
    root = Path(__file__).parents[4]
    record = subprocess.run(words, cwd=root, check=True, stdout=subprocess.PIPE, text=True, timeout=120).stdout
    assert dict(line.split() for line in record.splitlines()) == dict.fromkeys(WISHES, str(HUNG))
    for wish, (kind, status, lost) in WISHES.items():
        database = databases[wish]
        with database.reading() as session:
            (cohort,) = session.scalars(select(Cohort))
            last = events(session, cohort.experiment_id)[-1]
            assert (wish, last.kind, cohort.status, cohort.lost) == (wish, kind, status, lost)
            assert counts(session)["hangs"] == 1
            assert wish == "fence" or "no update for" in last.detail["why"]
        if status == "queued":
            with database.transaction() as session:
                resume(session, read.experiment(session, cohort.experiment_id))
            assert taken(database, "host/2/0").attempt == 2
        elif status == "cancelled":
            assert losses(database, cohort.experiment_id) == [[0, 1, 2]] * 2  # what was measured is kept
        database.dispose()


def test_a_worker_whose_database_is_away_for_longer_than_its_lease_loses_nothing(
    tmp_path: Path, database: Database
) -> None:
    """It stops before others may claim, holds on to what it has, and stores all of it when the database is back."""
    experiment = queued(database)
    held = taken(database, lease=0.5)
    recorder = recorder_of(database, held, tmp_path, lease=0.5)

    tries: list[Connection] = []

    def away(connection: Connection) -> None:
        tries.append(connection)
        raise OperationalError("BEGIN", {}, Exception("the server is gone"))

    event.listen(database.engine, "begin", away)
    step = 0
    while not recorder.stopped():
        for lane in held.lanes:
            recorder.record(lane.run, "train_loss", step, np.arange(step, step + 1, dtype=np.float32))
        recorder.advance(step := step + 1)
        threading.Event().wait(0.01)  # an update takes its time
    assert recorder.reason == "silent"
    recorder.save_last(Checkpoint(step, 0, [lane.run for lane in held.lanes], {"parameters/w": torch.zeros(2, 3)}))
    why = "its worker could not reach the database"
    closing = threading.Thread(target=recorder.close, args=[Released(why)], daemon=True)
    closing.start()
    before = len(tries)
    until(lambda: len(tries) > before + 1)
    assert closing.is_alive()
    event.remove(database.engine, "begin", away)
    closing.join()
    assert losses(database, experiment) == [[*range(step)]] * 2
    with database.reading() as session:
        (released,) = [event for event in events(session, experiment) if event.kind == "released"]
        assert (released.detail["step"], released.detail["why"]) == (step, "its worker could not reach the database")
        assert counts(session)["flush_retries"] >= 2
    assert sweep(database, 0).rescued == 0  # it is no longer held
    again = taken(database, "host/2/0")
    assert (again.attempt, again.resume_from and again.resume_from.step) == (2, step)
    assert losses(database, experiment) == [[*range(step)]] * 2
    assert {lane.run: again.last_values[lane.run]["train_loss"] for lane in again.lanes} == dict.fromkeys(
        [lane.run for lane in held.lanes], float(step - 1)
    )


def test_where_another_took_it_meanwhile_what_was_measured_is_measured_again(
    tmp_path: Path, database: Database
) -> None:
    experiment = queued(database)
    held = taken(database)
    recorder = recorder_of(database, held, tmp_path, lease=30)
    for lane in held.lanes:
        recorder.record(lane.run, "train_loss", 0, np.arange(4, dtype=np.float32))
    recorder.advance(4)
    until(lambda: losses(database, experiment) == [[0, 1, 2, 3]] * 2)
    with database.transaction() as session:
        session.connection().exec_driver_sql("UPDATE cohorts SET lease_until = 1")
    assert sweep(database, 0).rescued == 1
    taken(database, "host/2/0")
    until(recorder.stopped)
    assert recorder.reason == "fenced"
    recorder.abandon()
    recorder.increment("fenced_writes")
    assert losses(database, experiment) == []
    with database.reading() as session:
        assert {name: counts(session)[name] for name in ("fenced_writes", "rescues", "hangs")} == {
            "fenced_writes": 1,
            "rescues": 1,
            "hangs": 0,
        }


@pytest.mark.parametrize("handed_over", [False, True])
def test_half_of_a_hand_over_is_never_stored(tmp_path: Path, database: Database, handed_over: bool) -> None:
    """A flush that comes between two runs of one hand-over would leave one of them behind, if its worker then died."""
    experiment = queued(database)
    held = taken(database)
    commits: list[Connection] = []
    event.listen(database.engine, "commit", commits.append)
    recorder = recorder_of(database, held, tmp_path, lease=0.6)
    first, second = (lane.run for lane in held.lanes)
    recorder.record(first, "train_loss", 0, np.arange(3, dtype=np.float32))
    recorder.finish(first, "diverged")
    before = len(commits)
    until(lambda: len(commits) > before + 1)  # leases are renewed meanwhile
    with database.reading() as session:
        assert {run.status for run in read.runs(session, experiment)} == {"running"}
    assert losses(database, experiment) == []
    if handed_over:
        recorder.record(second, "train_loss", 0, np.arange(3, dtype=np.float32))
        recorder.advance(3)
        until(lambda: losses(database, experiment) == [[0, 1, 2]] * 2)
        with database.reading() as session:
            assert [run.status for run in read.runs(session, experiment)] == ["succeeded", "running"]
    recorder.abandon()
    assert losses(database, experiment) == [[0, 1, 2]] * 2 * handed_over
