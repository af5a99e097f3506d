"""Whose numbers an experiment is planned with."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import select

from core.datasets import DatasetPaths
from core.experiments.cohorts.eligibility import WorkerCapabilities
from core.experiments.cohorts.heartbeat import BEAT, Heartbeat, profile_for
from core.spec import parse
from core.store import Cohort, Database, Worker, now
from core.training import Profile
from core.training.planning.profile import Costs, CostsByLayout
from tests.core.experiments.submitting import submit

FALLBACK = Profile.guess(7)
Add = Callable[..., None]


@pytest.fixture
def add(database: Database) -> Add:
    """`add(holder, devices, profile, ago)`: a worker that was seen so many seconds ago."""

    def worker(holder: str, devices: str, profile: Profile | None, ago: float = 0.0) -> None:
        row = None if profile is None else profile.model_dump(mode="json")
        with database.transaction() as session:
            seen = (session.scalar(select(now())) or 0.0) - ago
            session.add(Worker(holder=holder, devices=devices, last_seen=seen, profile=row))

    return worker


def found(database: Database, device: Any = "auto") -> Profile:
    with database.reading() as session:
        return profile_for(session, device, FALLBACK)


def test_a_live_workers_profile_is_taken(database: Database, add: Add) -> None:
    assert found(database) == FALLBACK
    add("late/1/0", "auto,cpu", Profile.guess(2), ago=4 * BEAT)
    assert found(database) == FALLBACK
    add("unknown/1/0", "auto,cpu", None)
    assert found(database) == FALLBACK
    add("here/1/0", "auto,cpu", Profile.guess(3))
    assert found(database) == Profile.guess(3)
    add("newer/1/0", "auto,cpu", None, ago=-1)
    assert found(database) == Profile.guess(3)


def test_a_gpu_is_preferred_and_is_not_needed_for_the_cpu(database: Database, add: Add) -> None:
    gpu, plain = Profile.guess(4, device="cuda"), Profile.guess(2)
    add("plain/1/0", "auto,cpu", plain)
    assert found(database, "cuda") == FALLBACK
    add("gpu/1/0", "auto,cpu,cuda", gpu, ago=1)
    assert {device: found(database, device) for device in ("auto", "cpu", "cuda")} == {
        "auto": gpu,
        "cpu": plain,
        "cuda": gpu,
    }


def test_machines_are_counted_and_not_their_processes(database: Database, add: Add) -> None:
    """A process that was killed seems alive for a while, and its successor is there already."""
    for i in range(4):
        add(f"host {i // 2}/{i}/0", "auto,cpu", Profile.guess(2))
        assert found(database).machines == 1 + i // 2
    add("host 0/9/0", "auto,cpu,cuda", Profile.guess(1, device="cuda"))
    assert (found(database, "cpu").machines, found(database).machines) == (2, 1)


def test_a_profile_of_another_version_is_not_understood(database: Database, add: Add) -> None:
    add("old/1/0", "auto,cpu", Profile.guess(2))
    with database.transaction() as session:
        worker = session.get_one(Worker, "old/1/0")
        assert worker.profile is not None
        worker.profile = {**worker.profile, "news": 1}
    assert found(database) == FALLBACK


def test_a_sign_of_life_carries_the_profile(database: Database) -> None:
    with closing(Heartbeat(database, WorkerCapabilities(), Profile.guess(5))):
        while found(database) == FALLBACK:
            pass
        assert found(database) == Profile.guess(5)
    assert found(database) == FALLBACK


@pytest.mark.parametrize("layout", ["loop", "vmap"])
def test_an_experiment_is_stored_as_it_is_planned(database: Database, add: Add, layout: str) -> None:
    asked = {"layout": layout, "threads": 3, "lanes": 2}
    spec = parse({"seeds": 8, "epochs": 500, "model": {"name": "mlp", "hidden": [16]}} | asked)
    two = Profile.guess(2)
    nothing = Costs(**dict.fromkeys(Costs.model_fields, 0.0))
    costs = {name: nothing.model_copy(update={"lane": 0.01}) for name in ("loop", "vmap")}
    more = {"processes": 4, "threads": 3, "costs": {"fp32": CostsByLayout(**costs)}}
    slow = [way.model_copy(update=more) for way in two.ways[:1]]
    add("four/1/0", "auto,cpu", two.model_copy(update={"processes": 4, "ways": slow}))
    with database.transaction() as session:
        experiment, wake_ups = submit(session, spec, DatasetPaths())
        stored = session.execute(select(Cohort.threads, Cohort.layout).where(Cohort.experiment_id == experiment.id))
        assert [tuple(row) for row in stored] == [(3, layout)] * 4
    assert wake_ups == {"cpu": 4, "gpu": 4}
