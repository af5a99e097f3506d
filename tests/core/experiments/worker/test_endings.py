"""Every way in which an attempt ends, and who may end the process."""

import ast
from pathlib import Path
from typing import get_args

import pytest
from sqlalchemy import select

from core.experiments.cohorts.events import events
from core.experiments.worker.endings import (
    BrokenDevice,
    Cancelled,
    Completed,
    Failed,
    FencedOff,
    Lost,
    OutOfMemory,
    Released,
    WaitsAtRung,
    Written,
    ending_of_hang,
    ending_of_stop,
    write_ending,
)
from core.experiments.worker.watchdog import Reason
from core.store import Cohort, Database
from tests.core.experiments.claims import queued, taken

WORKER = Path(__file__).parents[4] / "core/experiments"

WRITTEN: list[tuple[Written, str, str, str | None]] = [
    (Completed(), "succeeded", "ended", None),
    (Failed("no such thing"), "failed", "ended", "no such thing"),
    (Cancelled(), "cancelled", "ended", None),
    (Cancelled("it hung"), "cancelled", "ended", "it hung"),
    (Released("its worker left"), "queued", "released", "its worker left"),
    (WaitsAtRung(), "queued", "waiting", None),
    (OutOfMemory("none left"), "queued", "released", "halved"),
    (BrokenDevice("no context"), "queued", "lost", "no context"),
    (Lost("no update"), "queued", "lost", "no update"),
]
"""An ending, the cohort's status, and the last event with its reason."""


def test_every_ending_is_tried() -> None:
    assert {type(ending) for ending, *_ in WRITTEN} == set(get_args(Written))


@pytest.mark.parametrize(("ending", "status", "kind", "why"), WRITTEN)
def test_an_ending_is_written(database: Database, ending: Written, status: str, kind: str, why: str | None) -> None:
    experiment = queued(database)
    held = taken(database)
    with database.transaction() as session:
        assert write_ending(session, held, ending) == status
    with database.reading() as session:
        cohort = session.scalars(select(Cohort).where(Cohort.id == held.cohort_id)).one()
        last = events(session, experiment)[-1]
        assert (cohort.status, cohort.lease_until, last.kind, last.detail.get("why")) == (status, None, kind, why)
        assert cohort.error == (why if status == "failed" else None)


@pytest.mark.parametrize("reason", [None, *get_args(Reason)])
def test_what_stops_a_trainer_decides_how_its_attempt_ends(reason: Reason | None) -> None:
    stopped, hung = ending_of_stop(reason), ending_of_hang(reason, "no update")
    assert isinstance(stopped, FencedOff) == (reason in ("fenced", None))
    assert isinstance(hung, FencedOff) == (reason in ("fenced", "silent"))
    assert isinstance(stopped, Released) == (reason in ("pause", "drain", "asked", "silent"))
    assert isinstance(hung, Released) == (reason in ("pause", "drain", "asked"))
    assert isinstance(hung, Lost) == (reason is None)


def test_only_the_worker_ends_the_process() -> None:
    ends = {
        path.name
        for path in WORKER.rglob("*.py")
        if path.name != "__main__.py"  # a command of its own, in no worker
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("_exit", "exit", "abort", "kill")
    }
    assert ends == {"worker.py"}
