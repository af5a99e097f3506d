"""What a cohort goes on from: its file, its row, and the points that lie after it."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sqlalchemy import select

from core.experiments.cohorts.checkpoints import CheckpointStore
from core.experiments.cohorts.claims import Claim
from core.experiments.cohorts.events import counts
from core.experiments.cohorts.leases import Fenced, fall_back
from core.experiments.maintenance.sweeper import sweep
from core.experiments.worker.endings import Cancelled, Completed, Released
from core.experiments.worker.recorder import AttemptRecorder
from core.files import FolderStore
from core.store import Cohort, Database, MetricBlock, Run
from core.training import Checkpoint, DamagedCheckpoint
from tests.core.experiments.claims import expire, queued, statuses, taken
from tests.core.experiments.recording import recorder_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "checkpoints"
    made.mkdir()
    return made


@pytest.fixture
def held(database: Database) -> Claim:
    queued(database)
    return taken(database)


def checkpoint(held: Claim, step: int, epochs: int = 0) -> Checkpoint:
    return Checkpoint(
        step, epochs, [lane.run for lane in held.lanes], {"parameters/w": torch.full((2, 3), float(step))}
    )


def until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline


def cohort(database: Database, held: Claim) -> Cohort:
    with database.reading() as session:
        return session.get_one(Cohort, held.cohort_id)


def measure(recorder: AttemptRecorder, held: Claim, metric: str, first: int, n: int) -> None:
    for lane in held.lanes:
        recorder.record(lane.run, metric, first, np.arange(first, first + n, dtype=np.float32))


def points(database: Database, metric: str) -> dict[int, list[float]]:
    found: dict[int, list[float]] = {}
    with database.reading() as session:
        rows = session.execute(
            select(MetricBlock.run_id, MetricBlock.values)
            .where(MetricBlock.metric == metric)
            .order_by(MetricBlock.first)
        )
        for run, values in rows:
            found.setdefault(run, []).extend(np.frombuffer(values, "<f4").tolist())
    return found


def test_a_lost_cohort_goes_on_after_the_points_of_its_checkpoint(
    folder: Path, database: Database, held: Claim
) -> None:
    recorder = recorder_of(database, held, folder)
    measure(recorder, held, "train_loss", 0, 15)
    measure(recorder, held, "valid_loss", 0, 1)
    recorder.advance(15)
    recorder.save(checkpoint(held, 15, epochs=1))
    until(lambda: cohort(database, held).checkpoint_step == 15)
    measure(recorder, held, "train_loss", 15, 4)
    measure(recorder, held, "valid_loss", 1, 1)
    recorder.finish(held.lanes[1].run, "diverged")
    recorder.advance(19)
    until(lambda: all(len(values) == 19 for values in points(database, "train_loss").values()))
    recorder.abandon()
    expire(database, held)
    sweep(database, 0)
    again = taken(database, "host/2/0")
    assert (again.attempt, again.resume_from and (again.resume_from.step, again.resume_from.epochs)) == (2, (15, 1))
    going_on, diverged = (lane.run for lane in again.lanes)
    assert again.ended == {diverged}
    assert points(database, "train_loss") == {going_on: [*range(15)], diverged: [*range(19)]}
    assert points(database, "valid_loss") == {going_on: [0], diverged: [0, 1]}
    with database.reading() as session:
        assert session.get_one(Run, going_on).steps_done == 15
        assert counts(session)["resumed_attempts"] == 1
    assert again.resume_from is not None
    found = CheckpointStore(FolderStore(folder), again.cohort_id, again.attempt).read(again.resume_from)
    assert (found.step, found.epochs, found.runs) == (15, 1, [lane.run for lane in held.lanes])

    second = recorder_of(database, again, folder)
    measure(second, again, "train_loss", 15, 5)  # the diverged one keeps the other company and is not measured again
    second.finish(going_on, "completed")
    second.finish(diverged, "completed")
    second.close(Completed())
    assert points(database, "train_loss") == {going_on: [*range(20)], diverged: [*range(19)]}
    with database.reading() as session:
        assert {run.id: (run.outcome, run.steps_done, run.final) for run in session.scalars(select(Run))} == {
            going_on: ("completed", 20, {"train_loss": 19.0, "valid_loss": 0.0}),
            diverged: ("diverged", 19, {"train_loss": 18.0, "valid_loss": 1.0}),
        }
    assert list(folder.iterdir()) == []


def test_a_run_that_had_only_to_be_judged_keeps_its_updates_and_last_values(
    folder: Path, database: Database, held: Claim
) -> None:
    """Its worker was told to leave during the last evaluation."""
    recorder = recorder_of(database, held, folder)
    measure(recorder, held, "train_loss", 0, 15)
    recorder.record(held.lanes[0].run, "lr", 0, np.array([np.nan, np.inf], dtype=np.float32))
    recorder.advance(15)
    recorder.save_last(checkpoint(held, 15))
    recorder.close(Released("its worker left"))
    again = taken(database, "host/2/0")
    second = recorder_of(database, again, folder)
    measure(second, again, "valid_loss", 0, 1)
    for lane in again.lanes:
        second.finish(lane.run, "completed")
    second.advance(15)
    second.close(Completed())
    with database.reading() as session:
        first, other = session.scalars(select(Run).order_by(Run.id))
        assert (first.steps_done, first.final) == (15, {"train_loss": 14.0, "lr": None, "valid_loss": 0.0})
        assert (other.steps_done, other.final) == (15, {"train_loss": 14.0, "valid_loss": 0.0})


def _counts(database: Database, held: Claim, step: int) -> bool:
    return cohort(database, held).checkpoint_step == step


def _has_files(folder: Path, number: int) -> bool:
    return len(list(folder.iterdir())) == number


def test_progress_is_no_poison(folder: Path, database: Database, held: Claim) -> None:
    for attempt in range(1, 7):
        recorder = recorder_of(database, held, folder)
        recorder.save(checkpoint(held, attempt))
        until(partial(_counts, database, held, attempt))
        until(partial(_has_files, folder, min(2, held.attempt)))  # it and the one before
        recorder.abandon()
        expire(database, held)
        sweep(database, 0)
        held = taken(database, "host/2/0")
    assert statuses(database, held.experiment_id) == {"running"}


@pytest.mark.parametrize("harm", ["torn", "flipped", "gone"])
def test_a_damaged_checkpoint_is_forgotten_with_its_points(
    folder: Path, database: Database, held: Claim, harm: str
) -> None:
    recorder = recorder_of(database, held, folder)
    measure(recorder, held, "train_loss", 0, 5)
    recorder.save(checkpoint(held, 5))
    until(lambda: cohort(database, held).checkpoint_step == 5)
    recorder.abandon()
    expire(database, held)
    sweep(database, 0)
    again = taken(database, "host/2/0")
    (path,) = folder.iterdir()
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    harms: dict[str, Callable[[], object]] = {
        "torn": lambda: path.write_bytes(raw[:-9]),
        "flipped": lambda: path.write_bytes(raw),
        "gone": lambda: path.unlink(),
    }
    harms[harm]()
    assert again.resume_from is not None
    with pytest.raises(DamagedCheckpoint):
        CheckpointStore(FolderStore(folder), again.cohort_id, again.attempt).read(again.resume_from)
    second = recorder_of(database, again, folder)
    second.fall_back("why")
    assert points(database, "train_loss") == {}
    assert (cohort(database, again).checkpoint, cohort(database, again).checkpoint_step) == (None, 0)
    for lane in again.lanes:
        second.finish(lane.run, "diverged")
    second.close(Completed())
    with database.reading() as session:  # nothing is left of what was measured before
        assert [(run.steps_done, run.final) for run in session.scalars(select(Run))] == [(0, {})] * 2


def test_a_worker_that_was_given_up_neither_moves_nor_removes_a_checkpoint(
    folder: Path, database: Database, held: Claim
) -> None:
    zombie = recorder_of(database, held, folder)
    expire(database, held)
    sweep(database, 0)
    again = taken(database, "host/2/0")
    owner = recorder_of(database, again, folder)
    owner.save(checkpoint(again, 7))
    until(lambda: cohort(database, again).checkpoint_step == 7)
    zombie.save(checkpoint(held, 9))
    with pytest.raises(Fenced):
        zombie.close(Completed())
    with database.transaction() as session, pytest.raises(Fenced):
        fall_back(session, held, "")
    kept = cohort(database, again).checkpoint
    assert kept is not None
    assert kept.endswith("-2-7.safetensors")
    assert (folder / kept).exists()
    owner.close(Cancelled())
    assert list(folder.iterdir()) == []


def test_a_worker_that_leaves_keeps_where_it_is(folder: Path, database: Database, held: Claim) -> None:
    recorder = recorder_of(database, held, folder)
    measure(recorder, held, "train_loss", 0, 3)
    recorder.advance(3)
    recorder.save_last(checkpoint(held, 3))
    recorder.close(Released("its worker left"))
    again = taken(database, "host/2/0")
    assert again.resume_from is not None
    assert again.resume_from.step == 3
    assert [path.name for path in folder.iterdir()] == [again.resume_from.name]
    assert all(values == [0, 1, 2] for values in points(database, "train_loss").values())


def test_a_disk_without_room_ends_no_training(folder: Path, database: Database, held: Claim) -> None:
    (folder / "file").touch()
    recorder = recorder_of(database, held, folder / "file")  # no folder: nothing can be written there
    measure(recorder, held, "train_loss", 0, 3)
    recorder.save(checkpoint(held, 3))
    for lane in held.lanes:
        recorder.finish(lane.run, "completed")
    recorder.close(Completed())
    assert statuses(database, held.experiment_id) == {"succeeded"}
    assert cohort(database, held).checkpoint is None
    with database.reading() as session:
        assert counts(session)["checkpoint_failures"] == 1
