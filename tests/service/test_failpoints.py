"""A process fails exactly where it hurts most: between two writes that belong together, or where it cannot answer."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psutil
import pytest
from sqlalchemy import select

from core.settings import Settings
from core.store import Cohort, Database
from tests.service.running import Running, running, spec, until

BACKENDS = ["sqlite+filesystem", "postgresql+redis"]
"""What fails here fails between two writes to a database: the broker has no part in it."""
pytestmark = [pytest.mark.service, pytest.mark.parametrize("backend", BACKENDS, indirect=True, scope="module")]

WANTED = spec(epochs=40, checkpoint_every=0.1)
"""Some seconds, and several checkpoints."""
SHORT = spec(epochs=2)


@pytest.fixture(scope="module")
def service(backend: dict[str, str]) -> Iterator[Running]:
    with running(backend | {"INITLAB_HANG_SECONDS": "1"}, Path(backend["INITLAB_DATA_DIR"] + ".log")) as service:
        yield service


@pytest.fixture
def database(service: Running) -> Iterator[Database]:
    folder, url = service.environment["INITLAB_DATA_DIR"], service.environment.get("INITLAB_DATABASE_URL", "")
    made = Database(Settings(data_dir=Path(folder), database_url=url).database, pool_size=1)
    yield made
    made.dispose()


def kinds(service: Running, experiment: int) -> list[str]:
    return [event["kind"] for event in service.history(experiment)]


def trained_until(service: Running, experiment: int, point: str) -> None:
    """Wait until the order for a failpoint has been carried out."""
    until(lambda: not service.is_ordered(point))


@pytest.mark.parametrize(
    "point",
    [
        "claim.committed",
        "flush.fenced",
        "flush.committed",
        "checkpoint.before_write",
        "checkpoint.written",
        "checkpoint.renamed",
        "checkpoint.committed",
        "end.fenced",
    ],
)
def test_a_worker_killed_at_any_point_between_two_writes_changes_nothing(
    service: Running, database: Database, point: str
) -> None:
    service.order(point, "kill")
    experiment = service.post(WANTED)
    until(lambda: not service.is_ordered(point))
    with database.reading() as session:  # a row never names a file that is not there
        for name in session.scalars(select(Cohort.checkpoint).where(Cohort.experiment_id == experiment)):
            assert name is None or Path(service.environment["INITLAB_DATA_DIR"], "checkpoints", name).exists()
    service.assert_unharmed(experiment, WANTED)
    assert kinds(service, experiment).count("lost") == 1


def test_a_worker_killed_after_its_last_word_has_done_its_work(service: Running) -> None:
    service.order("end.committed", "kill")
    experiment = service.post(WANTED)
    service.assert_unharmed(experiment, WANTED)
    assert "lost" not in kinds(service, experiment)


def test_a_zombie_inside_its_transaction_holds_up_nobody_and_writes_nothing(service: Running) -> None:
    """Frozen after its fence and before its commit, for longer than its lease; then it wakes."""
    service.stop()
    service.environment |= {"INITLAB_LEASE_SECONDS": "1"}
    service.start()
    try:
        experiment = service.post(WANTED)
        service.training(experiment)
        service.order("flush.fenced", "freeze")
        [pid] = until(lambda: [p.pid for p in service.processes("worker") if p.status() == psutil.STATUS_STOPPED])
        # On SQLite nobody writes while it sleeps; on PostgreSQL its row is locked. Either way its lease runs out.
        frozen = time.monotonic()
        until(lambda: time.monotonic() - frozen > 2)
        os.kill(pid, signal.SIGCONT)
        service.assert_unharmed(experiment, WANTED)
    finally:
        service.stop()
        del service.environment["INITLAB_LEASE_SECONDS"]
        service.start()


def test_a_torn_checkpoint_gives_way_to_the_one_before_it(service: Running, database: Database) -> None:
    experiment = service.post(WANTED)

    def two_checkpoints() -> Any:
        with database.reading() as session:
            row = session.execute(
                select(Cohort.checkpoint, Cohort.checkpoint_step, Cohort.checkpoint_before).where(
                    Cohort.experiment_id == experiment, Cohort.status == "running"
                )
            ).first()
            return row if row and row.checkpoint_before else None

    until(two_checkpoints)
    main, *children = service.processes("worker")
    for process in (main, *children):
        process.kill()
    newest = two_checkpoints()
    path = Path(service.environment["INITLAB_DATA_DIR"], "checkpoints", newest.checkpoint)
    path.write_bytes(path.read_bytes()[:-100])
    service.assert_unharmed(experiment, WANTED)
    [fell_back] = [event for event in service.history(experiment) if event["kind"] == "fell_back"]
    assert fell_back["detail"]["step"] == newest.checkpoint_before["step"] > 0
    assert "SHA-256" in fell_back["detail"]["why"]


def test_a_poison_run_fails_alone_with_its_last_words_and_others_flow(service: Running) -> None:
    """Its process dies of SIGSEGV at its first update, every time."""
    poison = service.post(spec(arms=1, seeds=1, epochs=2000))
    for attempt in (1, 2, 3):
        until(lambda attempt=attempt: service.get(f"/experiments/{poison}")["attempt"] == attempt)
        service.order("update", "segv")
        until(lambda: not service.is_ordered("update"))
    found = service.ended(poison)
    assert found["status"] == "failed"
    [error] = found["errors"]
    assert error.startswith("3 attempts without progress, after update 0 of 30000: its worker (")
    assert "Fatal Python error: Segmentation fault" in error
    assert "failpoints.py" in error
    assert service.ended(service.post(SHORT))["status"] == "succeeded"
    assert service.http.post(f"/experiments/{poison}/retry").status_code == 202
    service.training(poison)
    service.http.post(f"/experiments/{poison}/cancel")
    assert service.ended(poison)["status"] == "cancelled"


def test_many_crashes_with_progress_between_them_are_no_poison(service: Running) -> None:
    wanted = spec(arms=1, seeds=1, epochs=150, checkpoint_every=0.1)
    experiment = service.post(wanted)
    for _ in range(4):
        service.order("checkpoint.committed", "kill")
        until(lambda: not service.is_ordered("checkpoint.committed"))
    service.assert_unharmed(experiment, wanted)
    assert kinds(service, experiment).count("lost") == 4


def test_cancel_ends_a_training_that_hangs(service: Running) -> None:
    service.order("update", "hang")
    experiment = service.post(spec(epochs=2000))
    until(lambda: not service.is_ordered("update"))
    started = time.monotonic()
    service.http.post(f"/experiments/{experiment}/cancel")
    assert service.ended(experiment, 20)["status"] == "cancelled"
    assert time.monotonic() - started < 15
    assert service.ended(service.post(SHORT))["status"] == "succeeded"


def test_a_training_that_hangs_is_given_up_and_goes_on_elsewhere(service: Running) -> None:
    experiment = service.post(WANTED)
    service.training(experiment)
    service.order("update", "hang")
    service.assert_unharmed(experiment, WANTED)
    [lost] = [event for event in service.history(experiment) if event["kind"] == "lost"]
    assert lost["detail"]["why"].startswith("no update for")


def test_a_broken_device_ends_its_process_and_the_run_goes_on_in_a_fresh_one(service: Running) -> None:
    experiment = service.post(WANTED)
    service.training(experiment)
    before = {process.pid for process in service.processes("worker")}
    service.order("update", "device")
    service.assert_unharmed(experiment, WANTED)
    assert len({process.pid for process in service.processes("worker")} - before) >= 1
    [lost] = [event for event in service.history(experiment) if event["kind"] == "lost"]
    assert "CUDA error" in lost["detail"]["why"]


def test_memory_that_runs_out_halves_the_cohort_and_it_goes_on(service: Running) -> None:
    service.order("update", "memory")
    experiment = service.post(WANTED)
    found = service.ended(experiment)
    assert found["status"] == "succeeded"
    assert "halved" in kinds(service, experiment)
    steps = [one["steps"] for one in service.losses(experiment)]
    assert steps == [list(range(600))] * 4


def test_a_disk_without_room_for_a_checkpoint_leaves_the_one_before_it_whole(service: Running) -> None:
    experiment = service.post(WANTED)
    service.training(experiment)
    service.order("checkpoint.written", "disk_full")
    until(lambda: not service.is_ordered("checkpoint.written"))
    for process in service.processes("worker"):
        process.kill()
    service.assert_unharmed(experiment, WANTED)


def test_an_api_killed_before_its_commit_has_accepted_nothing_and_after_it_all(service: Running) -> None:
    """The same Idempotency-Key makes one experiment, whichever of the two happened."""
    for point in ("submit.before_commit", "submit.committed"):
        count = len(service.get("/experiments", limit=200)["items"])
        service.order(point, "kill")
        headers = {"Idempotency-Key": point}
        with pytest.raises(httpx.TransportError):
            service.http.post("/experiments", json=SHORT, headers=headers)

        def again(headers: dict[str, str] = headers) -> Any:
            try:
                answer = service.http.post("/experiments", json=SHORT, headers=headers)
            except httpx.TransportError:
                return None
            return answer if answer.status_code == 202 else None

        found = until(again).json()
        assert len(service.get("/experiments", limit=200)["items"]) == count + 1
        assert service.ended(found["id"])["status"] == "succeeded"


def test_pause_gives_the_cohort_back_and_resume_goes_on_from_there(service: Running) -> None:
    wanted = spec(epochs=300)
    experiment = service.post(wanted)
    service.training(experiment)
    assert service.http.post(f"/experiments/{experiment}/pause").json()["paused"] is True
    until(lambda: service.get(f"/experiments/{experiment}")["status"] == "queued", 5)
    assert service.ended(service.post(SHORT))["status"] == "succeeded"  # the worker is free for others
    waiting = service.get(f"/experiments/{experiment}")
    assert (waiting["status"], waiting["paused"]) == ("queued", True)
    assert 0 < waiting["progress"]["steps_done"] < 300 * 15 * 4
    assert service.http.post(f"/experiments/{experiment}/resume").json()["paused"] is False
    service.assert_unharmed(experiment, wanted)
    claims = [event["detail"]["step"] for event in service.history(experiment) if event["kind"] == "claimed"]
    assert claims == [0, waiting["progress"]["steps_done"] // 4]
