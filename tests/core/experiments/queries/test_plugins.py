"""An experiment says which plug-in it waits for, and what workers have of it instead."""

from typing import Any

import pytest
from sqlalchemy import update

from core.experiments.cohorts.eligibility import needed as as_needed
from core.experiments.queries.plugins import workers_with
from core.experiments.queries.progress import progress_of
from core.store import Cohort, Database, Experiment, Worker, now
from tests.core.experiments.claims import queued

A, B = ({"version": "1.0", "sha256": letter * 64} for letter in "ab")
SAID = "1.0 (content aaaaaaaaaaaa)"


@pytest.mark.parametrize(
    ("workers", "waits"),
    [
        ([], []),  # for any worker
        ([None, {"one": A, "two": B}], []),
        ([None], [f"it waits for a worker with {name}" for name in ("one", "two")]),
        ([{"one": B, "two": B}], [f"it waits for a worker with one {SAID}: what workers have is 1.0 (content bbb"]),
        ([{"one": A}, {"two": B}], [f"it waits for a worker that has all of these: one {SAID}, two 1.0 (content bbb"]),
    ],
)
def test_it_says_what_it_waits_for(database: Database, workers: list[Any], waits: list[str]) -> None:
    needed = {"one": A, "two": B}
    experiment = queued(database)
    with database.transaction() as session:
        one = session.get_one(Experiment, experiment)
        one.spec = one.spec | {"plugins": needed}
        session.execute(update(Cohort).values(plugins=as_needed(needed)))
        for i, plugins in enumerate(workers):
            session.add(Worker(holder=f"h/{i}/0", devices="auto,cpu", last_seen=0.0, queues="cpu", plugins=plugins))
        session.flush()
        session.execute(update(Worker).values(last_seen=now()))
    with database.reading() as session:
        found = [one["message"] for one in progress_of(session, session.get_one(Experiment, experiment)).warnings]
        assert len(found) == len(waits)
        assert all(text.startswith(start) for text, start in zip(found, waits, strict=True)), found
        assert workers_with(session)["one", "a" * 64] == sum((own or {}).get("one") == A for own in workers)
