"""API and workers that share no folder: their files are in object storage, and nothing else changes."""

import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.backends import RedisServer, postgres_database
from tests.seaweed import S3Server
from tests.service.parted import Parted, parted
from tests.service.running import spec, until

pytestmark = pytest.mark.service

ROWS = "x,z,y\n" + "".join(f"{i},{i % 7},{i % 3}\n" for i in range(1500))


@pytest.fixture(scope="module")
def lab(
    postgres_server: str, broker: RedisServer, s3: S3Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Parted]:
    with postgres_database(postgres_server) as url:
        shared = s3.environment | {"INITLAB_DATABASE_URL": url, "INITLAB_BROKER_URL": broker.url}
        with parted(shared, tmp_path_factory.mktemp("hosts")) as made:
            answer = made.http.post("/datasets", files={"file": ("table.csv", ROWS)}, data={"target": "y"})
            assert answer.status_code == 201, answer.text
            yield made


@pytest.mark.thorough
def test_another_host_goes_on_from_the_checkpoint_of_one_that_died(lab: Parted, s3: S3Server, tmp_path: Path) -> None:
    wanted = spec(epochs=200, checkpoint_every=0.3, dataset={"name": "uploaded", "id": "table"})
    lab.works("one")
    experiment = lab.post(wanted)
    until(lambda: list(s3.store("of/tests/checkpoints", tmp_path).list()))
    lab.training(experiment)
    until(lambda: lab.workers["one"].poll() is None and _kept(lab, experiment))
    lab.workers["one"].send_signal(signal.SIGKILL)
    lab.workers["one"].communicate()
    lab.works("two")
    lab.assert_unharmed(experiment, wanted)
    begun = [event["detail"].get("step", 0) for event in lab.history(experiment) if event["kind"] == "lost"]
    assert max(begun) > 0, lab.history(experiment)
    until(lambda: not list(s3.store("of/tests/checkpoints", tmp_path).list()))  # a moment after the end is to be seen
    assert len(list(s3.store("of/tests/uploads", tmp_path).list())) == 3
    folders = [
        lab.folder / host / "data" / part for host in ("api", "one", "two") for part in ("uploads", "checkpoints")
    ]
    assert [folder for folder in folders if folder.exists()] == []


def _kept(lab: Parted, experiment: int) -> bool:
    """Whether a checkpoint counts: its cohort's row names it."""
    url = lab.environment["INITLAB_DATABASE_URL"].replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT max(checkpoint_step) FROM cohorts WHERE experiment_id = %s", [experiment]
        ).fetchone()
    return bool(row and row[0])


@pytest.mark.thorough
def test_a_worker_ends_before_its_machine_is_taken_away(lab: Parted) -> None:
    """What it trained goes back with a checkpoint, and a worker that ends when it has nothing to do ends it."""
    wanted = spec(epochs=60, checkpoint_every=1000)
    for host in ("one", "two"):
        if host in lab.workers and lab.workers[host].poll() is None:
            lab.workers[host].terminate()
            lab.workers[host].communicate(timeout=30)
    experiment = lab.post(wanted)
    assert lab.works("hours", "--until", "4s")["processes"] == 1
    assert lab.workers["hours"].wait(timeout=150) == 0
    given_back = [event for event in lab.history(experiment) if event["kind"] == "released"]
    assert {event["detail"]["why"] for event in given_back} <= {"its worker was drained"}
    assert lab.get("/readyz")["checks"]["workers"] == "none has given a sign of life"
    lab.works("idle", "--idle-exit", "10s")
    lab.ended(experiment, 150)
    lab.assert_unharmed(experiment, wanted)
    assert lab.workers["idle"].wait(timeout=150) == 0
    kinds = [event["kind"] for event in lab.history(experiment)]
    assert "lost" not in kinds
    assert lab.get("/experiments")["items"][0]["status"] == "succeeded"


def test_a_worker_that_sees_other_files_does_not_start(lab: Parted) -> None:
    """Or, asked to start anyway, is named by the API: it would not find what is uploaded there."""
    assert lab.get("/readyz")["checks"]["files"] == "ok"
    elsewhere = {"INITLAB_FILES_URL": "s3://lab/elsewhere"}
    process = lab.worker("other", **elsewhere)
    process.communicate(timeout=150)
    assert process.returncode == 2
    assert "sees other files than this worker" in lab.log.read_text()
    lab.works("other", INITLAB_FILES_CHECK="warn", **elsewhere)
    said = str(until(lambda: next((text for text in [lab.get("/readyz")["checks"]["files"]] if text != "ok"), None)))
    assert "other files than this API's are seen by" in said
    assert "INITLAB_FILES_URL" in said
    assert lab.get("/readyz")["status"] == "degraded"
    lab.workers["other"].terminate()
    until(lambda: lab.get("/readyz")["checks"]["files"] == "ok", 60)
