"""The table of transitions, walked over all pairs, and that nothing writes a status past it."""

import ast
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from core.experiments.cohorts.states import ACTIVE, TERMINAL, IllegalTransition, set_status, settle, transition
from core.store import Cohort, Database, Experiment, Run, Status
from tests.core.experiments.claims import queued

ALLOWED = {
    ("queued", "running"),
    ("queued", "succeeded"),
    ("queued", "cancelled"),
    ("running", "queued"),
    ("running", "succeeded"),
    ("running", "failed"),
    ("running", "cancelled"),
    ("failed", "queued"),
}
OF_EXPERIMENT = ALLOWED | {("failed", "running"), ("succeeded", "running")}
"""Where other cohorts have ended."""
PAIRS = list(product(Status, Status))
ROOT = Path(__file__).parents[4]


@pytest.fixture
def experiment(database: Database) -> int:
    return queued(database)


def set_all(database: Database, status: Status) -> None:
    with database.transaction() as session:
        for table in (Experiment, Cohort, Run):
            session.execute(update(table).values(status=status))


def statuses(database: Database, table: Any) -> set[str]:
    with database.reading() as session:
        return set(session.scalars(select(table.status)))


def test_a_status_is_active_until_an_end() -> None:
    assert (ACTIVE, TERMINAL) == (("queued", "running"), ("succeeded", "failed", "cancelled"))
    assert not [(start, to) for start, to in ALLOWED if start in TERMINAL and to in TERMINAL]


def test_every_pair_is_a_transition_or_raises(database: Database, experiment: int) -> None:
    tables: tuple[type[Cohort] | type[Run], ...] = (Cohort, Run)
    for table, (start, to) in product(tables, PAIRS):
        set_all(database, start)
        if (start, to) in ALLOWED:
            with database.transaction() as session:
                session.execute(transition(table, start=start, to=to))
            assert statuses(database, table) == {to}
        else:
            with pytest.raises(IllegalTransition, match=f"{start} may not become {to}"):
                transition(table, start=start, to=to)


def test_every_pair_of_a_row_is_a_transition_or_raises(database: Database, experiment: int) -> None:
    for start, to in PAIRS:
        set_all(database, start)
        with database.transaction() as session:
            cohort = session.scalars(select(Cohort)).one()
            if (start, to) in ALLOWED:
                set_status(cohort, to)
            else:
                with pytest.raises(IllegalTransition):
                    set_status(cohort, to)
        assert statuses(database, Cohort) == {to if (start, to) in ALLOWED else start}


def test_an_experiment_follows_its_cohorts_or_raises(database: Database, experiment: int) -> None:
    for start, to in PAIRS:
        set_all(database, start)
        with database.transaction() as session:
            session.execute(update(Cohort).values(status=to))
            if start == to or (start, to) in OF_EXPERIMENT:
                settle(session, experiment)
            else:
                with pytest.raises(IllegalTransition):
                    settle(session, experiment)
        assert statuses(database, Experiment) == {to if start == to or (start, to) in OF_EXPERIMENT else start}


def test_a_transition_moves_only_what_has_the_expected_status(database: Database, experiment: int) -> None:
    set_all(database, Status.CANCELLED)
    with database.transaction() as session:
        session.execute(transition(Cohort, start=Status.QUEUED, to=Status.RUNNING))
    assert statuses(database, Cohort) == {"cancelled"}


def test_the_tables_know_the_same_statuses(database: Database, experiment: int) -> None:
    for status in Status:
        set_all(database, status)
    for table in (Experiment, Cohort, Run):
        with pytest.raises(IntegrityError), database.transaction() as session:
            session.execute(update(table).values(status="waiting"))


def test_nothing_else_writes_a_status() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"  # type: ignore[attr-defined]
        for folder in ("api", "core", "worker")
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "states.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if _writes_a_status(node)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "update(Run).values(status='failed')",
        "update(Run).values({'status': 'failed'})",
        "cohort.status = 'failed'",
        "cohort.status, cohort.error = 'failed', why",
        "setattr(cohort, 'status', 'failed')",
    ],
)
def test_a_status_that_is_written_elsewhere_is_found(text: str) -> None:
    assert any(_writes_a_status(node) for node in ast.walk(ast.parse(text)))


def _writes_a_status(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="values"), args=given, keywords=named):
            keys = [key for one in given if isinstance(one, ast.Dict) for key in one.keys]
            names = [key.value for key in keys if isinstance(key, ast.Constant)]
            return "status" in [*names, *(one.arg for one in named)]
        case ast.Call(func=ast.Name(id="setattr"), args=[_, ast.Constant(value="status"), _]):
            return True
        case ast.Attribute(attr="status", ctx=ast.Store(), value=ast.Name(id=name)):
            return name != "self"
    return False
