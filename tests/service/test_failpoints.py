"""A process fails exactly where it hurts most: between two writes that belong together, or where it cannot answer."""

import hashlib
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
from core.training.weights import load_model
from tests.service.conftest import LEASE
from tests.service.running import Running, spec, until

BACKENDS = ["sqlite+filesystem", "postgresql+redis"]
pytestmark = [pytest.mark.service, pytest.mark.parametrize("backend", BACKENDS, indirect=True)]

WANTED = spec(epochs=40, checkpoint_every=0.1)
"""Some seconds, and several checkpoints."""
SHORT = spec(epochs=2)


@pytest.fixture
def database(service: Running) -> Iterator[Database]:
    folder, url = service.environment["INITLAB_DATA_DIR"], service.environment.get("INITLAB_DATABASE_URL", "")
    made = Database(Settings(data_dir=Path(folder), database_url=url).database, pool_size=1)
    yield made
    made.dispose()


def kinds(service: Running, experiment: int) -> list[str]:
    return [event["kind"] for event in service.history(experiment)]


def checkpoints(database: Database, experiment: int) -> set[str]:
    """Return the files that the experiment's cohorts would go on from."""
    with database.reading() as session:
        names = session.scalars(select(Cohort.checkpoint).where(Cohort.experiment_id == experiment))
        return {name for name in names if name is not None}


def sent(service: Running, method: str, path: str = "/experiments", **how: Any) -> Any:
    """Return an answer that succeeded; None for any other, and where the API is away."""
    try:
        answer = service.http.request(method, path, **how)
    except httpx.TransportError:
        return None
    return answer if answer.is_success else None


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
    folder = Path(service.environment["INITLAB_DATA_DIR"], "checkpoints")
    missing = {name for name in checkpoints(database, experiment) if not (folder / name).exists()}
    assert not missing & checkpoints(database, experiment), "a row never names a file that is not there"
    service.assert_unharmed(experiment, WANTED)
    assert kinds(service, experiment).count("lost") == 1


@pytest.mark.parametrize("point", ["weights.before_write", "weights.written"])
def test_a_worker_killed_at_its_weights_loses_none_and_keeps_none_twice(service: Running, point: str) -> None:
    wanted = SHORT | {"keep": ["best", "final"]}
    service.order(point, "kill")
    experiment = service.post(wanted)
    until(lambda: not service.is_ordered(point))
    service.assert_unharmed(experiment, wanted)
    folder = Path(service.environment["INITLAB_DATA_DIR"], "weights")
    for run in service.get(f"/experiments/{experiment}/runs")["items"]:
        assert [*run["weights"]] == ["best", "final"]
        for about in run["weights"].values():
            content = service.http.get(about["link"]).content
            assert hashlib.sha256(content).hexdigest() == about["sha256"]
        load_model(max(folder.glob(f"experiment-{experiment}-run-{run['id']}-*-final.safetensors")))


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


def test_a_post_that_is_killed_before_its_commit_has_stored_nothing_and_after_it_all(service: Running) -> None:
    """The same Idempotency-Key makes one experiment, whichever of the two happened.

    Before its commit a process of the pool is killed, after it the API.
    """
    for point in ("submit.before_commit", "submit.committed"):
        count = len(service.get("/experiments", limit=200)["items"])
        service.order(point, "kill")
        headers = {"Idempotency-Key": point}
        assert sent(service, "POST", json=SHORT, headers=headers) is None
        accepted = until(lambda: sent(service, "GET", params={"limit": 200})).json()["items"]
        assert len(accepted) == count + (point == "submit.committed")
        found = until(partial(sent, service, "POST", json=SHORT, headers=headers)).json()
        assert len(service.get("/experiments", limit=200)["items"]) == count + 1
        assert service.ended(found["id"])["status"] == "succeeded"


def test_points_that_an_api_has_not_committed_when_it_is_killed_are_stored_once_when_sent_again(
    service: Running,
) -> None:
    """Of a run that is trained elsewhere; and its end, which brings the last of them."""
    asked = {
        "kind": "external",
        "arms": [{"label": "theirs"}],
        "seeds": 1,
        "metrics": [{"name": "loss", "direction": "min", "per": "step"}],
    }
    experiment = service.post(asked | {"outcome": "loss"})
    [run] = service.get(f"/experiments/{experiment}/runs")["items"]
    values = [0.5, 0.25, 0.125]
    some = {"points": {"loss": {"first": 0, "values": values[:2]}}}
    rest = {"points": {"loss": {"first": 1, "values": values[1:]}}, "outcome": "completed"}
    for point, path, body in (("points.before_commit", "points", some), ("finish.before_commit", "finish", rest)):
        service.order(point, "kill")
        assert sent(service, "POST", f"/runs/{run['id']}/{path}", json=body) is None
        assert not service.is_ordered(point)
        until(partial(sent, service, "POST", f"/runs/{run['id']}/{path}", json=body))
    [series] = service.get(f"/experiments/{experiment}/metrics")["series"]
    assert (series["steps"], series["values"]) == ([0, 1, 2], values)
    assert service.ended(experiment)["status"] == "succeeded"
