"""Two checkpoints: which files count, which go, and what is left where the newest, or both, are damaged."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sqlalchemy import Connection, event, select

from core.experiments.cohorts.checkpoints import CheckpointRef, CheckpointStore
from core.experiments.cohorts.claims import Claim
from core.experiments.cohorts.events import counts, events
from core.experiments.maintenance import sweep
from core.experiments.queries import read
from core.experiments.worker.endings import Completed
from core.experiments.worker.recorder import AttemptRecorder
from core.experiments.worker.worker import _start
from core.files import FolderStore
from core.store import Cohort, Database, Run
from core.training import Checkpoint
from tests.core.experiments.claims import expire, queued, taken
from tests.core.experiments.recording import recorder_of as a_recorder


def until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline


MakeRecorder = Callable[..., AttemptRecorder]


@pytest.fixture
def recorder_of(database: Database, tmp_path: Path) -> Iterator[MakeRecorder]:
    """`recorder_of(claim, lease)`, which says nothing more when the test ends."""
    made: list[AttemptRecorder] = []

    def recorder(held: Claim, lease: float = 30) -> AttemptRecorder:
        made.append(a_recorder(database, held, tmp_path, lease=lease))
        return made[-1]

    yield recorder
    for one in made:
        one.abandon()


def at(held: Claim, step: int, epochs: int = 0) -> Checkpoint:
    return Checkpoint(
        step, epochs, [lane.run for lane in held.lanes], {"parameters/w": torch.full((2, 3), float(step))}
    )


def row(database: Database, held: Claim) -> Cohort:
    with database.reading() as session:
        return session.get_one(Cohort, held.cohort_id)


def _counts(database: Database, held: Claim, step: int) -> bool:
    return row(database, held).checkpoint_step == step


def measure(recorder: AttemptRecorder, held: Claim, metric: str, first: int, last: int) -> None:
    for lane in held.lanes:
        recorder.record(lane.run, metric, first, np.arange(first, last, dtype=np.float32))


def stored(database: Database, experiment: int, metric: str) -> list[list[float]]:
    with database.reading() as session:
        return [series.values.tolist() for series in read.series(session, experiment, metrics=[metric])]


@pytest.fixture
def lost(database: Database, recorder_of: MakeRecorder) -> Claim:
    """A claim whose worker kept checkpoints at 5 (one epoch) and 9, measured on to 12, and was lost."""
    queued(database)
    held = taken(database)
    recorder = recorder_of(held)
    for step, epochs in ((5, 1), (9, 1)):
        before = step - 5 and 5
        measure(recorder, held, "train_loss", before, step)
        if not before:
            measure(recorder, held, "valid_loss", 0, 1)
        recorder.advance(step)
        recorder.save(at(held, step, epochs))
        until(partial(_counts, database, held, step))
    measure(recorder, held, "train_loss", 9, 12)
    measure(recorder, held, "valid_loss", 1, 2)
    recorder.advance(12)
    until(lambda: stored(database, held.experiment_id, "train_loss") == [[*range(12)]] * 2)
    recorder.abandon()
    expire(database, held)
    sweep(database, 0)
    return held


def test_a_worker_goes_on_from_the_newest_that_is_whole(
    database: Database, recorder_of: MakeRecorder, tmp_path: Path, lost: Claim
) -> None:
    again = taken(database, "host/2/0")
    start = _start(CheckpointStore(FolderStore(tmp_path), again.cohort_id, 2), recorder_of(again))
    assert start is not None
    assert start.step == 9
    assert stored(database, lost.experiment_id, "train_loss") == [[*range(9)]] * 2


def test_the_one_before_is_taken_where_the_newest_is_torn(
    database: Database, recorder_of: MakeRecorder, tmp_path: Path, lost: Claim
) -> None:
    """Its points are what is left, and its last values are known to a run that measures nothing more."""
    (tmp_path / "cohort-1-1-9.safetensors").write_bytes(b"torn")
    again = taken(database, "host/2/0")
    recorder = recorder_of(again)
    start = _start(CheckpointStore(FolderStore(tmp_path), again.cohort_id, 2), recorder)
    assert start is not None
    assert (start.step, start.epochs, recorder.resume_from and recorder.resume_from.step) == (5, 1, 5)
    assert stored(database, lost.experiment_id, "train_loss") == [[*range(5)]] * 2
    assert stored(database, lost.experiment_id, "valid_loss") == [[0]] * 2
    found = row(database, again)
    assert (found.checkpoint, found.checkpoint_step, found.checkpoint_before) == ("cohort-1-1-5.safetensors", 5, None)
    with database.reading() as session:
        assert {run.steps_done for run in session.scalars(select(Run))} == {5}
        record = events(session, lost.experiment_id)[-1]
        assert (record.kind, record.detail["step"], record.detail["epochs"]) == ("fell_back", 5, 1)
        assert "SHA-256" in record.detail["why"]
        assert counts(session)["fallbacks"] == 1
    for lane in again.lanes:
        recorder.finish(lane.run, "completed")
    recorder.close(Completed())
    with database.reading() as session:
        assert [(run.steps_done, run.final) for run in session.scalars(select(Run))] == [
            (5, {"train_loss": 4.0, "valid_loss": 0.0})
        ] * 2


def test_it_starts_over_where_both_are_torn(
    database: Database, recorder_of: MakeRecorder, tmp_path: Path, lost: Claim
) -> None:
    for step in (5, 9):
        (tmp_path / f"cohort-1-1-{step}.safetensors").write_bytes(b"torn")
    again = taken(database, "host/2/0")
    recorder = recorder_of(again)
    assert _start(CheckpointStore(FolderStore(tmp_path), again.cohort_id, 2), recorder) is None
    assert recorder.resume_from is None
    assert stored(database, lost.experiment_id, "train_loss") == []
    found = row(database, again)
    assert (found.checkpoint, found.checkpoint_sha256, found.checkpoint_before) == (None, None, None)
    assert (found.checkpoint_step, found.checkpoint_epochs) == (0, 0)
    with database.reading() as session:
        record = [event.detail["step"] for event in events(session, lost.experiment_id) if event.kind == "fell_back"]
        assert record == [5, 0]
    measure(recorder, again, "train_loss", 0, 3)
    recorder.advance(3)
    recorder.save(at(again, 3))
    until(lambda: row(database, again).checkpoint_step == 3)
    assert row(database, again).checkpoint_before is None
    until(
        lambda: [path.name for path in tmp_path.glob("*.safetensors")] == ["cohort-1-2-3.safetensors"]
    )  # torn ones are no use
    recorder.abandon()


def test_after_a_fall_back_the_one_fallen_back_to_is_the_one_before(
    database: Database, recorder_of: MakeRecorder, tmp_path: Path, lost: Claim
) -> None:
    (tmp_path / "cohort-1-1-9.safetensors").unlink()
    again = taken(database, "host/2/0")
    recorder = recorder_of(again)
    assert _start(CheckpointStore(FolderStore(tmp_path), again.cohort_id, 2), recorder) is not None
    recorder.save(at(again, 7, 1))
    until(lambda: row(database, again).checkpoint_step == 7)
    before = row(database, again).checkpoint_before
    assert before is not None
    assert before["name"] == "cohort-1-1-5.safetensors"
    recorder.abandon()


def test_a_resumed_cohort_shows_what_it_has_from_its_first_renewal_on(
    database: Database, recorder_of: MakeRecorder, tmp_path: Path, lost: Claim
) -> None:
    """Nothing was measured yet when its lease is renewed: its progress is that of the checkpoint, and not none."""
    again = taken(database, "host/2/0")
    commits: list[Connection] = []
    event.listen(database.engine, "commit", commits.append)
    recorder = recorder_of(again, lease=0.6)
    until(lambda: len(commits) >= 2)
    recorder.abandon()
    with database.reading() as session:
        assert {run.steps_done for run in session.scalars(select(Run))} == {9}


def test_a_checkpoint_that_is_written_while_the_one_before_is_committed_stays(
    database: Database, recorder_of: MakeRecorder, tmp_path: Path
) -> None:
    """A database that is slow, as long as the pace of checkpoints is: the next file is there before its row."""
    queued(database)
    held = taken(database)
    recorder = recorder_of(held)
    younger = tmp_path / "cohort-1-1-9.safetensors"

    def slow(_: Connection) -> None:
        if not younger.exists() and (tmp_path / "cohort-1-1-5.safetensors").exists():
            recorder.save_last(at(held, 9))

    event.listen(database.engine, "commit", slow)
    recorder.save(at(held, 5))
    until(lambda: row(database, held).checkpoint_step == 9)
    event.remove(database.engine, "commit", slow)
    recorder.abandon()
    assert set(tmp_path.glob("*.safetensors")) == {tmp_path / "cohort-1-1-5.safetensors", younger}


@pytest.mark.parametrize(
    ("newest", "before", "left"),
    [
        ((2, 9), (2, 5), {"1-1-5", "2-9", "2-5", "2-12", "3-2"}),
        ((2, 9), None, {"1-1-5", "2-9", "2-12", "3-2"}),
        ((2, 9), (1, 7), {"1-1-5", "2-9", "1-7", "2-12", "3-2"}),
        ((3, 2), (2, 9), {"1-1-5", "3-2", "2-9"}),  # a young attempt that fell back is younger all the same
        (None, None, {"1-1-5"}),
    ],
)
def test_what_is_older_than_what_counts_goes(
    tmp_path: Path, newest: tuple[int, int] | None, before: tuple[int, int] | None, left: set[str]
) -> None:
    """And what is younger stays: it is on its way to its row, or is of a worker that took over meanwhile."""
    for name in ("1-3", "1-7", "2-5", "2-9", "2-12", "3-2", "1-1-5"):  # the last is another cohort's: 11
        (tmp_path / f"cohort-1{'' if name == '1-1-5' else '-'}{name}.safetensors").touch()
    (tmp_path / ".cohort-1-1-4.safetensors.77").touch()
    (tmp_path / ".cohort-1-3-4.safetensors.78").touch()

    def kept(place: tuple[int, int] | None) -> CheckpointRef | None:
        return place and CheckpointRef(
            name=f"cohort-1-{place[0]}-{place[1]}.safetensors", sha256="", step=place[1], epochs=0
        )

    CheckpointStore(FolderStore(tmp_path), 1, 2).clear(kept(newest), kept(before))
    found = {path.name for path in tmp_path.iterdir()}
    aside = {".cohort-1-3-4.safetensors.78"} if newest else set()
    named = {f"cohort-1{'' if name == '1-1-5' else '-'}{name}.safetensors" for name in left}
    assert found == named | aside
