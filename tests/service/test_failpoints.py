"""A process fails exactly where it hurts most: between two writes that belong together, or where it cannot answer."""

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
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
pytestmark = [
    pytest.mark.service,
    pytest.mark.parametrize("backend", BACKENDS, indirect=True, scope="module"),
]

WANTED = spec(epochs=40, checkpoint_every=0.1)
"""Some seconds, and several checkpoints."""
SHORT = spec(epochs=2)
LEASE = 5.0


@pytest.fixture(scope="module")
def service(backend: dict[str, str]) -> Iterator[Running]:
    with running(
        backend | {"INITLAB_LEASE_SECONDS": str(LEASE)}, Path(backend["INITLAB_DATA_DIR"] + ".log")
    ) as service:
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
    experiment = service.post(WANTED)
    service.training(experiment)
    service.order("flush.fenced", "freeze")
    [pid] = until(lambda: [p.pid for p in service.processes("worker") if p.status() == psutil.STATUS_STOPPED])
    # On SQLite nobody writes while it sleeps; on PostgreSQL its row is locked. Either way its lease runs out.
    frozen = time.monotonic()
    until(lambda: time.monotonic() - frozen > 1.5 * LEASE)
    os.kill(pid, signal.SIGCONT)
    service.assert_unharmed(experiment, WANTED)


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


def test_an_api_killed_before_its_commit_has_accepted_nothing_and_after_it_all(service: Running) -> None:
    """The same Idempotency-Key makes one experiment, whichever of the two happened."""

    def sent(method: str, **how: Any) -> Any:
        try:
            answer = service.http.request(method, "/experiments", **how)
        except httpx.TransportError:
            return None
        return answer if answer.is_success else None

    for point in ("submit.before_commit", "submit.committed"):
        count = len(service.get("/experiments", limit=200)["items"])
        service.order(point, "kill")
        headers = {"Idempotency-Key": point}
        with pytest.raises(httpx.TransportError):
            service.http.post("/experiments", json=SHORT, headers=headers)
        accepted = until(lambda: sent("GET", params={"limit": 200})).json()["items"]
        assert len(accepted) == count + (point == "submit.committed")
        found = until(partial(sent, "POST", json=SHORT, headers=headers)).json()
        assert len(service.get("/experiments", limit=200)["items"]) == count + 1
        assert service.ended(found["id"])["status"] == "succeeded"
