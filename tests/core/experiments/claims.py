"""Experiments in a database, and claims on their cohorts, for tests of the use cases."""

from typing import Any

import numpy as np
from sqlalchemy import select, update

from core.datasets import DatasetPaths
from core.experiments.cohorts.claims import Claim, claim
from core.experiments.cohorts.eligibility import CpuCapacity, WorkerCapabilities
from core.spec import parse
from core.store import Cohort, Database, MetricBlock, Run, now
from tests.core.experiments.submitting import submit

ABLE = WorkerCapabilities(devices=("auto", "cpu"), queues=("cpu",))


def queued(database: Database, *, cohorts: int = 1, **more: Any) -> int:
    """An experiment of that many cohorts (one batch size each) with two seeds; returns its id."""
    arms = [{"label": f"arm {i}", "initializer": "he_normal", "batch_size": 100 + i} for i in range(cohorts)]
    spec = parse({"arms": arms, "seeds": 2, "epochs": 1, "model": {"name": "mlp", "hidden": [4]}} | more)
    with database.transaction() as session:
        experiment, wake_ups = submit(session, spec, DatasetPaths())
        assert set(wake_ups.values()) == {cohorts}
        return experiment.id


def take(
    database: Database,
    holder: str = "host/1/0",
    lease: float = 30,
    capacity: CpuCapacity | None = None,
    capabilities: WorkerCapabilities = ABLE,
) -> Claim | None:
    with database.transaction() as session:
        return claim(session, holder, capabilities, lease, capacity)


def taken(database: Database, holder: str = "host/1/0", lease: float = 30) -> Claim:
    held = take(database, holder, lease)
    assert held is not None
    return held


def block(run: int, first: int = 0, n: int = 3, value: float = 1.0) -> dict[str, Any]:
    values = np.full(n, value, dtype="<f4").tobytes()
    return {"run_id": run, "metric": "train_loss", "first": first, "n": n, "values": values}


def statuses(database: Database, experiment: int) -> set[str]:
    with database.reading() as session:
        return set(session.scalars(select(Run.status).where(Run.experiment_id == experiment)))


def blocks(database: Database) -> list[tuple[int, int, int]]:
    """(first, n, attempt) of every block."""
    with database.reading() as session:
        rows = session.execute(
            select(MetricBlock.first, MetricBlock.n, MetricBlock.attempt).order_by(MetricBlock.first)
        )
        return [(row.first, row.n, row.attempt) for row in rows]


def expire(database: Database, held: Claim) -> None:
    with database.transaction() as session:
        session.execute(update(Cohort).where(Cohort.id == held.cohort_id).values(lease_until=now() - 1))


def plan_threads(database: Database, *threads: int) -> None:
    """What the cohorts, in the order of their ids, are to train with."""
    with database.transaction() as session:
        for cohort_id, planned in enumerate(threads, start=1):
            session.execute(update(Cohort).where(Cohort.id == cohort_id).values(threads=planned))
