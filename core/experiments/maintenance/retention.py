"""Removes what is too old, and in small steps the rows of experiments that are gone for everybody already."""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import ColumnElement, delete, select, true, tuple_
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.experiments.cohorts.removal import remove
from core.experiments.cohorts.states import TERMINAL, lock_cohorts
from core.experiments.projects import keep_days as project_days
from core.store import Database, EpochValue, Experiment, MetricBlock, Run, now

DAY = 86_400.0
EXPERIMENTS = 20
"""Experiments that are removed in one go, each in a transaction of its own."""
ROWS, POINTS = 500, 500_000
"""Rows that one transaction removes, and points in them: SQLite walks through every page that they lie on."""

Conditions = tuple[ColumnElement[bool], ...]


def remove_expired(database: Database, keep_days: float | None) -> int:
    """Remove some of the experiments that ended longer ago than their project keeps them; returns how many.

    `keep_days` is for projects that say no number of their own, None: for ever. Those that wait or are in training
    never expire, however old.
    """
    found: list[tuple[int, Conditions]] = []
    with database.reading() as session:
        for expired in _expired(session, keep_days):
            oldest = select(Experiment.id).where(*expired).order_by(Experiment.finished_at).limit(EXPERIMENTS)
            found += [(experiment_id, expired) for experiment_id in session.scalars(oldest)]
    removed = 0
    for experiment_id, expired in found[:EXPERIMENTS]:
        with suppress(NotFound), database.transaction() as session:
            lock_cohorts(session, experiment_id)
            still = select(Experiment.id).where(Experiment.id == experiment_id, *expired)
            if session.scalar(still) is not None:  # it may have been tried again meanwhile
                remove(session, experiment_id)
                removed += 1
    return removed


def _expired(session: Session, keep_days: float | None) -> Iterator[Conditions]:
    """Yield the conditions of what has expired, for each number of days those of the projects that have it."""
    projects: dict[float | None, list[str]] = {}
    for name, days in project_days(session, keep_days).items():
        projects.setdefault(days, []).append(name)
    for days, names in projects.items():
        if days is not None:
            yield (
                Experiment.project.in_(names) if len(projects) > 1 else true(),
                Experiment.status.in_(TERMINAL),
                Experiment.deleted_at.is_(None),
                Experiment.finished_at < now() - DAY * days,
            )


def clear_removed(database: Database, seconds: float = 0.0) -> int:
    """Delete rows of removed experiments for about so many seconds, one transaction at least; returns how many rows."""
    deadline, deleted = time.monotonic() + seconds, 0
    while True:
        with database.reading() as session:
            gone = session.scalar(select(Experiment.id).where(Experiment.deleted_at.is_not(None)).limit(1))
        if gone is None:
            return deleted
        with database.transaction() as session:
            deleted += _clear(session, gone)
        if time.monotonic() > deadline:
            return deleted


def _clear(session: Session, experiment_id: int) -> int:
    """Delete some rows of an experiment, those first that others belong to last; returns how many."""
    runs = select(Run.id).where(Run.experiment_id == experiment_id).scalar_subquery()
    mine = MetricBlock.run_id.in_(runs)
    key = (MetricBlock.run_id, MetricBlock.metric, MetricBlock.first)
    blocks = session.execute(select(*key, MetricBlock.n).where(mine).limit(ROWS)).all()
    if blocks:
        few: list[Any] = []
        points = 0
        for *place, n in blocks:
            if few and points + n > POINTS:
                break
            few.append(tuple(place))
            points += n
        session.execute(delete(MetricBlock).where(tuple_(*key).in_(few)).execution_options(synchronize_session=False))
        return len(few)
    epochs = (EpochValue.run_id, EpochValue.metric, EpochValue.epoch)
    values = session.execute(select(*epochs).where(EpochValue.run_id.in_(runs)).limit(ROWS)).all()
    if values:
        these = tuple_(*epochs).in_([tuple(row) for row in values])
        session.execute(delete(EpochValue).where(these).execution_options(synchronize_session=False))
        return len(values)
    few_runs = session.scalars(select(Run.id).where(Run.experiment_id == experiment_id).limit(ROWS)).all()
    if few_runs:
        _delete(session, Run, few_runs)
        return len(few_runs)
    _delete(session, Experiment, [experiment_id])
    return 1


def _delete(session: Session, table: type[Run] | type[Experiment], ids: Sequence[int]) -> None:
    session.execute(delete(table).where(table.id.in_(ids)).execution_options(synchronize_session=False))
