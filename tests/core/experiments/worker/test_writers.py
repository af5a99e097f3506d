"""The parts of the recorder, each alone: metrics are buffered, a lease is renewed, checkpoints are written aside."""

import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from core.energy import EnergyAccount
from core.experiments.cohorts.checkpoints import CheckpointRef, CheckpointStore
from core.experiments.cohorts.claims import Claim
from core.experiments.cohorts.leases import Fenced
from core.experiments.queries import read
from core.experiments.requests import cancel
from core.experiments.worker import lease_renewer
from core.experiments.worker.checkpoint_writer import CheckpointWriter
from core.experiments.worker.lease_renewer import LeaseRenewer
from core.experiments.worker.metric_writer import MetricWriter
from core.files import FolderStore
from core.store import Database
from core.training import Checkpoint
from tests.core.experiments.claims import queued, taken


@pytest.fixture
def held(database: Database) -> Claim:
    queued(database)
    return taken(database)


def test_what_was_recorded_is_taken_once_it_is_complete_and_put_back_before_what_came_later(held: Claim) -> None:
    writer = MetricWriter(held, EnergyAccount(before=held.cost, runs=held.training))
    first, second = (lane.run for lane in held.lanes)
    writer.record(first, "train_loss", 0, np.arange(3.0))
    assert writer.take().is_empty
    writer.record(second, "train_loss", 0, np.arange(3.0))
    writer.advance(3)
    taken = writer.take()
    assert ([block["run_id"] for block in taken.blocks], taken.step) == ([first, second], 3)
    assert writer.take().is_empty
    writer.record(first, "train_loss", 3, np.array([7.0, np.nan]))
    writer.finish(first, "diverged")
    writer.advance(5)
    writer.put_back(taken)
    rest = writer.take_all()
    assert [(block["run_id"], block["first"]) for block in rest.blocks] == [(first, 0), (second, 0), (first, 3)]
    assert (rest.step, rest.ended[first].steps, rest.ended[first].final) == (5, 5, {"train_loss": None})


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


def test_a_lease_ages_from_before_its_last_renewal(
    database: Database, held: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(lease_renewer, "time", clock)
    lease = LeaseRenewer(database, held, 30)
    assert not lease.is_due
    clock.now = 5
    assert lease.is_due
    with lease.transaction():
        clock.now = 9  # a slow transaction
    assert not lease.is_due
    clock.now = 10
    assert lease.is_due
    with pytest.raises(ZeroDivisionError), lease.transaction():
        raise ZeroDivisionError
    clock.now = 29
    assert not lease.is_expiring
    clock.now = 29.1
    assert lease.is_expiring, "what was rolled back renewed nothing"


def test_a_renewal_tells_what_the_user_asks_for_and_of_the_fence(database: Database, held: Claim) -> None:
    lease = LeaseRenewer(database, held, 30)
    assert lease.poll() is None
    with database.transaction() as session:
        cancel(session, read.experiment(session, held.experiment_id))
    assert lease.poll() == "cancel"
    with lease.transaction() as (_, request):
        assert request == "cancel"
    other = LeaseRenewer(database, taken_again(database, held), 30)
    assert other.poll() is None
    with pytest.raises(Fenced):
        lease.poll()
    with pytest.raises(Fenced), lease.transaction():
        raise AssertionError("nothing may be written")


def taken_again(database: Database, held: Claim) -> Claim:
    with database.transaction() as session:
        session.connection().exec_driver_sql("UPDATE cohorts SET status = 'queued', cancel_requested = FALSE")
        session.connection().exec_driver_sql("UPDATE runs SET status = 'queued'")
    return taken(database, "host/2/0")


def checkpoint(step: int) -> Checkpoint:
    return Checkpoint(step=step, epochs=0, runs=[1], state={"parameters/w": torch.zeros(1, 2)})


class SlowStore(CheckpointStore):
    """A disk that waits until it is let go on."""

    def __init__(self, folder: Path) -> None:
        super().__init__(FolderStore(folder), 1, 1)
        self.go_on = threading.Event()

    def write(self, checkpoint: Checkpoint) -> CheckpointRef:
        self.go_on.wait(20)
        return super().write(checkpoint)


def test_a_slow_disk_misses_checkpoints_but_never_the_last(tmp_path: Path) -> None:
    written: list[CheckpointRef | None] = []
    store = SlowStore(tmp_path)
    writer = CheckpointWriter(store, None, written.append)
    for step in (1, 2, 3):
        writer.save(checkpoint(step))
    assert written == []
    store.go_on.set()
    writer.save_last(checkpoint(4))
    assert [ref and ref.step for ref in written] == [1, 4]
    assert writer.resume_from is None, "no transaction has said so"
    for ref in written:
        assert ref is not None
        writer.committed(ref)
    assert writer.resume_from == written[1]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_full_disk_delivers_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    written: list[CheckpointRef | None] = []
    writer = CheckpointWriter(CheckpointStore(FolderStore(tmp_path / "file"), 1, 1), None, written.append)
    writer.save_last(checkpoint(1))
    assert written == [None]
