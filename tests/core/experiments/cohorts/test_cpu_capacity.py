"""A machine trains as many cohorts as it has cores for, and a wide one has its turn."""

import threading
from collections.abc import Sequence

import pytest
from sqlalchemy import text, update

from core.experiments.cohorts.claims import claim
from core.experiments.cohorts.eligibility import CpuCapacity, WorkerCapabilities
from core.experiments.cohorts.leases import end
from core.store import Cohort, Database, Status
from tests.core.experiments.claims import plan_threads, queued, take, taken

TWO = CpuCapacity(cores=2)


def _end(database: Database, cohort_id: int) -> None:
    with database.transaction() as session:
        session.execute(update(Cohort).where(Cohort.id == cohort_id).values(status="succeeded"))


@pytest.mark.parametrize(
    ("running", "next_one", "cores", "fits"),
    [
        ([], 1, 2, True),
        ([1], 1, 2, True),
        ([1, 1], 1, 2, False),
        ([1], 2, 2, False),
        ([2, 1], 1, 4, True),
        ([], 8, 2, True),  # wider than the machine: alone
    ],
)
def test_a_cohort_waits_for_cores(
    database: Database, running: Sequence[int], next_one: int, cores: int, fits: bool
) -> None:
    queued(database, cohorts=len(running) + 1)
    plan_threads(database, *running, next_one)
    for _ in running:
        taken(database)
    held = take(database, "host/2/0", capacity=CpuCapacity(cores=cores))
    assert (held is not None) == fits
    if held is not None:
        assert held.threads == next_one


def test_a_narrow_cohort_does_not_pass_a_wide_one(database: Database) -> None:
    queued(database, cohorts=3)
    plan_threads(database, 1, 2, 1)
    assert taken(database).cohort_id == 1
    assert take(database, "host/2/0", capacity=TWO) is None
    _end(database, 1)
    wide = take(database, "host/2/0", capacity=TWO)
    assert wide is not None
    assert wide.cohort_id == 2
    assert take(database, capacity=TWO) is None
    _end(database, 2)
    assert taken(database).cohort_id == 3


@pytest.mark.parametrize("other", ["elsewhere/1/0", "host2/1/0"])
def test_what_other_hosts_train_takes_no_cores_here(database: Database, other: str) -> None:
    queued(database, cohorts=2)
    plan_threads(database, 2, 2)
    taken(database, other)
    assert take(database, "host/1/0", capacity=TWO) is not None


def test_what_hosts_are_called_is_no_pattern(database: Database) -> None:
    queued(database, cohorts=2)
    plan_threads(database, 2, 2)
    taken(database, "host/1/0")
    assert take(database, "h%t/1/0", capacity=TWO) is not None


def test_what_trains_on_a_gpu_takes_no_cores(database: Database) -> None:
    queued(database, device="cuda")
    queued(database)
    plan_threads(database, 2, 2)
    with database.transaction() as session:
        assert (
            claim(session, "host/1/0", WorkerCapabilities(devices=["auto", "cpu", "cuda"], queues=["cpu", "gpu"]), 30)
            is not None
        )
    assert take(database, "host/2/0", capacity=TWO) is not None


def test_threads_that_were_set_count_instead_of_the_planned_ones(database: Database) -> None:
    queued(database, cohorts=3)
    plan_threads(database, 2, 2, 2)
    one_each = CpuCapacity(cores=2, threads=1)
    assert take(database, "host/1/0", capacity=one_each) is not None
    assert take(database, "host/2/0", capacity=one_each) is not None
    assert take(database, "host/3/0", capacity=one_each) is None


def test_two_that_claim_at_once_count_each_other(postgres: Database) -> None:
    """Neither transaction would see the other's cohort: both would find a machine on which nothing runs."""
    database = postgres
    queued(database, cohorts=2)
    plan_threads(database, 2, 2)
    found: list[object] = []

    def second() -> None:
        found.append(take(database, "host/2/0", capacity=TWO))

    thread = threading.Thread(target=second)
    with database.transaction() as session:
        first = claim(session, "host/1/0", WorkerCapabilities(), 30, TWO)
        assert first is not None
        thread.start()
        with database.reading() as looking:  # it waits for this transaction
            waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            while thread.is_alive() and not looking.scalar(waiting):
                pass
    thread.join()
    assert found == [None]
    with database.transaction() as session:
        end(session, first, Status.SUCCEEDED)
    assert take(database, "host/2/0", capacity=TWO) is not None
