"""What a cohort goes on from: its file, its row, and the points that lie after it."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sqlalchemy import select

from core.experiments.checkpoints import Shelf
from core.experiments.claim import Claim
from core.experiments.history import counts
from core.experiments.hold import Fenced, fall_back
from core.experiments.keeper import Keeper
from core.experiments.sweep import sweep
from core.store import Cohort, Database, MetricBlock, Run
from core.training import Checkpoint, DamagedCheckpoint
from tests.core.experiments.claims import expire, queued, statuses, taken


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


def keeper_of(database: Database, held: Claim, folder: Path) -> Keeper:
    return Keeper(database, held, Shelf(folder, held.cohort_id, held.attempt), 30, threading.Event())


def until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline


def cohort(database: Database, held: Claim) -> Cohort:
    with database.reading() as session:
        return session.get_one(Cohort, held.cohort_id)


def measure(keeper: Keeper, held: Claim, metric: str, first: int, n: int) -> None:
    for lane in held.lanes:
        keeper.record(lane.run, metric, first, np.arange(first, first + n, dtype=np.float32))


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
    keeper = keeper_of(database, held, folder)
    measure(keeper, held, "train_loss", 0, 15)
    measure(keeper, held, "valid_loss", 0, 1)
    keeper.advance(15)
    keeper.keep(checkpoint(held, 15, epochs=1))
    until(lambda: cohort(database, held).checkpoint_step == 15)
    measure(keeper, held, "train_loss", 15, 4)
    measure(keeper, held, "valid_loss", 1, 1)
    keeper.finish(held.lanes[1].run, "diverged")
    keeper.advance(19)
    until(lambda: all(len(values) == 19 for values in points(database, "train_loss").values()))
    keeper.abandon()
    expire(database, held)
    sweep(database, 0)
    again = taken(database, "host/2/0")
    assert (again.attempt, again.kept and (again.kept.step, again.kept.epochs)) == (2, (15, 1))
    going_on, diverged = (lane.run for lane in again.lanes)
    assert again.ended == {diverged}
    assert points(database, "train_loss") == {going_on: [*range(15)], diverged: [*range(19)]}
    assert points(database, "valid_loss") == {going_on: [0], diverged: [0, 1]}
    with database.reading() as session:
        assert session.get_one(Run, going_on).steps_done == 15
        assert counts(session)["resumed_attempts"] == 1
    assert again.kept is not None
    found = Shelf(folder, again.cohort_id, again.attempt).read(again.kept)
    assert (found.step, found.epochs, found.runs) == (15, 1, [lane.run for lane in held.lanes])

    second = keeper_of(database, again, folder)
    measure(second, again, "train_loss", 15, 5)  # the diverged one keeps the other company and is not measured again
    second.finish(going_on, "completed")
    second.finish(diverged, "completed")
    second.close("succeeded")
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
    keeper = keeper_of(database, held, folder)
    measure(keeper, held, "train_loss", 0, 15)
    keeper.record(held.lanes[0].run, "lr", 0, np.array([np.nan, np.inf], dtype=np.float32))
    keeper.advance(15)
    keeper.keep_last(checkpoint(held, 15))
    keeper.close("queued")
    again = taken(database, "host/2/0")
    second = keeper_of(database, again, folder)
    measure(second, again, "valid_loss", 0, 1)
    for lane in again.lanes:
        second.finish(lane.run, "completed")
    second.advance(15)
    second.close("succeeded")
    with database.reading() as session:
        first, other = session.scalars(select(Run).order_by(Run.id))
        assert (first.steps_done, first.final) == (15, {"train_loss": 14.0, "lr": None, "valid_loss": 0.0})
        assert (other.steps_done, other.final) == (15, {"train_loss": 14.0, "valid_loss": 0.0})


def test_progress_is_no_poison(folder: Path, database: Database, held: Claim) -> None:
    for attempt in range(1, 7):
        keeper = keeper_of(database, held, folder)
        keeper.keep(checkpoint(held, attempt))
        until(lambda held=held, step=attempt: cohort(database, held).checkpoint_step == step)
        until(lambda held=held: len(list(folder.iterdir())) == min(2, held.attempt))  # it and the one before
        keeper.abandon()
        expire(database, held)
        sweep(database, 0)
        held = taken(database, "host/2/0")
    assert statuses(database, held.experiment_id) == {"running"}


@pytest.mark.parametrize("harm", ["torn", "flipped", "gone"])
def test_a_damaged_checkpoint_is_forgotten_with_its_points(
    folder: Path, database: Database, held: Claim, harm: str
) -> None:
    keeper = keeper_of(database, held, folder)
    measure(keeper, held, "train_loss", 0, 5)
    keeper.keep(checkpoint(held, 5))
    until(lambda: cohort(database, held).checkpoint_step == 5)
    keeper.abandon()
    expire(database, held)
    sweep(database, 0)
    again = taken(database, "host/2/0")
    (path,) = folder.iterdir()
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    {
        "torn": lambda: path.write_bytes(raw[:-9]),
        "flipped": lambda: path.write_bytes(raw),
        "gone": lambda: path.unlink(),
    }[harm]()
    assert again.kept is not None
    with pytest.raises(DamagedCheckpoint):
        Shelf(folder, again.cohort_id, again.attempt).read(again.kept)
    second = keeper_of(database, again, folder)
    second.fall_back("why")
    assert points(database, "train_loss") == {}
    assert (cohort(database, again).checkpoint, cohort(database, again).checkpoint_step) == (None, 0)
    for lane in again.lanes:
        second.finish(lane.run, "diverged")
    second.close("succeeded")
    with database.reading() as session:  # nothing is left of what was measured before
        assert [(run.steps_done, run.final) for run in session.scalars(select(Run))] == [(0, {})] * 2


def test_a_worker_that_was_given_up_neither_moves_nor_removes_a_checkpoint(
    folder: Path, database: Database, held: Claim
) -> None:
    zombie = keeper_of(database, held, folder)
    expire(database, held)
    sweep(database, 0)
    again = taken(database, "host/2/0")
    owner = keeper_of(database, again, folder)
    owner.keep(checkpoint(again, 7))
    until(lambda: cohort(database, again).checkpoint_step == 7)
    zombie.keep(checkpoint(held, 9))
    with pytest.raises(Fenced):
        zombie.close("succeeded")
    with database.transaction() as session, pytest.raises(Fenced):
        fall_back(session, held, "")
    kept = cohort(database, again).checkpoint
    assert kept is not None
    assert kept.endswith("-2-7.safetensors")
    assert (folder / kept).exists()
    owner.close("cancelled")
    assert list(folder.iterdir()) == []


def test_a_worker_that_leaves_keeps_where_it_is(folder: Path, database: Database, held: Claim) -> None:
    keeper = keeper_of(database, held, folder)
    measure(keeper, held, "train_loss", 0, 3)
    keeper.advance(3)
    keeper.keep_last(checkpoint(held, 3))
    keeper.close("queued")
    again = taken(database, "host/2/0")
    assert again.kept is not None
    assert again.kept.step == 3
    assert [path.name for path in folder.iterdir()] == [again.kept.name]
    assert all(values == [0, 1, 2] for values in points(database, "train_loss").values())


def test_a_disk_without_room_ends_no_training(folder: Path, database: Database, held: Claim) -> None:
    (folder / "file").touch()
    keeper = keeper_of(database, held, folder / "file")  # no folder: nothing can be written there
    measure(keeper, held, "train_loss", 0, 3)
    keeper.keep(checkpoint(held, 3))
    for lane in held.lanes:
        keeper.finish(lane.run, "completed")
    keeper.close("succeeded")
    assert statuses(database, held.experiment_id) == {"succeeded"}
    assert cohort(database, held).checkpoint is None
    with database.reading() as session:
        assert counts(session)["checkpoint_failures"] == 1
