"""What those who run the service are shown of the database."""

import pytest
from sqlalchemy import update

from core.experiments.cohorts.eligibility import WorkerCapabilities
from core.experiments.cohorts.heartbeat import Heartbeat
from core.experiments.cohorts.leases import end
from core.experiments.queries import read
from core.experiments.queries.statistics import queue_stats
from core.experiments.requests import pause
from core.store import Cohort, Database, Status, now
from tests.core.experiments.claims import queued, taken
from tests.service.running import until


def test_an_empty_database_has_zeros(database: Database) -> None:
    with database.reading() as session:
        stats = queue_stats(session)
    assert set(stats.experiments) == {"queued", "running", "succeeded", "failed", "cancelled"}
    assert {*stats.experiments.values(), *stats.cohorts.values(), *stats.runs.values(), *stats.counts.values()} == {0}
    assert (stats.waited, stats.workers) == (0, {"cpu": 0, "gpu": 0})


def test_what_waits_runs_and_has_ended_is_counted_apart(database: Database) -> None:
    queued(database, cohorts=1)
    done = taken(database)
    with database.transaction() as session:
        end(session, done, Status.FAILED, error="a reason")
    queued(database, cohorts=3)
    taken(database)
    paused = queued(database, cohorts=2)
    with database.transaction() as session:
        pause(session, read.experiment(session, paused))
        session.execute(update(Cohort).where(Cohort.paused).values(queued_at=now() - 5000))  # nobody may take it
        session.execute(update(Cohort).where(~Cohort.paused, Cohort.status == "queued").values(queued_at=now() - 100))
    with database.reading() as session:
        stats = queue_stats(session)
    assert stats.experiments == {"queued": 1, "running": 1, "succeeded": 0, "failed": 1, "cancelled": 0}
    assert stats.cohorts == {"queued": 2, "running": 1, "paused": 2, "waiting": 0}
    assert stats.runs == {"queued": 8, "running": 2}
    assert stats.waited == pytest.approx(100, abs=20)


def test_a_worker_counts_in_every_queue_that_it_answers_to(database: Database) -> None:
    presence = Heartbeat(database, WorkerCapabilities(devices=("auto", "cpu"), queues=("cpu", "nightly")), None)

    def workers() -> dict[str, int]:
        with database.reading() as session:
            return dict(queue_stats(session).workers)

    until(lambda: workers() == {"cpu": 1, "gpu": 0, "nightly": 1})
    presence.close()
    assert workers() == {"cpu": 0, "gpu": 0}
