"""Points of MLflow's runs: logged once however often they are sent, and read back as they came."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.errors import InvalidSpec, Problem
from core.experiments.cohorts.mlflow_points import counted
from core.experiments.requests.mlflow.identity import identity_of
from core.experiments.requests.mlflow.judging import bring
from core.experiments.requests.mlflow.runs import hold_run, write_params, write_tags
from core.experiments.requests.quotas import Limits
from core.store import MlflowExperiment, MlflowPoint, MlflowRun

MOST_METRICS = 1_000
"""Metrics of one run."""


class Logged(NamedTuple):
    """One point as a client has logged it."""

    key: str
    value: float
    timestamp: int
    step: int = 0


def log(
    session: Session,
    run_id: str,
    limits: Limits,
    *,
    metrics: Sequence[Logged] = (),
    params: Mapping[str, str] = {},
    tags: Mapping[str, str] = {},
) -> None:
    """Store what was logged of a run, all of it or nothing, and bring it to where the run is judged.

    The same point again changes nothing. Raises `InvalidSpec` for a param that has another value already,
    `QuotaExceeded` and `NotFound`.
    """
    run = hold_run(session, run_id)
    write_params(run, params)
    write_tags(run, tags)
    of = session.get_one(MlflowExperiment, run.of)
    with counted(session, of, run, limits.quotas, may_move=identity_of(run.params, run.tags).certain):
        fresh: dict[str, list[tuple[int, float]]] = {}
        for point in _store(session, run, metrics):
            fresh.setdefault(point.key, []).append((point.step, point.value))
        session.flush()
        if fresh or params or tags:
            bring(session, of, run, fresh, limits)


def history(session: Session, run: MlflowRun, key: str, *, after: int = 0, limit: int) -> Sequence[MlflowPoint]:
    """Return the points of a metric in the order in which they came, those behind the one with the id `after`."""
    mine = select(MlflowPoint).where(MlflowPoint.run_id == run.id, MlflowPoint.key == key, MlflowPoint.id > after)
    return session.scalars(mine.order_by(MlflowPoint.id).limit(limit)).all()


def _store(session: Session, run: MlflowRun, points: Sequence[Logged]) -> Sequence[Logged]:
    """Store points and what is the latest of each metric; returns those that were not there."""
    if not points:
        return ()
    unknown = {point.key for point in points} - run.latest.keys()
    if len(run.latest) + len(unknown) > MOST_METRICS:
        raise InvalidSpec([Problem("metrics", f"a run has at most {MOST_METRICS:,} of them")])
    insert = (postgresql if session.get_bind().dialect.name == "postgresql" else sqlite).insert
    rows = [
        {
            "run_id": run.id,
            "key": point.key,
            "step": point.step,
            "timestamp": point.timestamp,
            "value": 0.0 if math.isnan(point.value) else point.value,
            "nan": math.isnan(point.value),
        }
        for point in points
    ]
    before = session.scalar(select(func.max(MlflowPoint.id)).where(MlflowPoint.run_id == run.id)) or 0
    session.execute(insert(MlflowPoint).on_conflict_do_nothing(), rows)
    mine = select(MlflowPoint).where(MlflowPoint.run_id == run.id, MlflowPoint.id > before).order_by(MlflowPoint.id)
    new = [
        Logged(row.key, float("nan") if row.nan else row.value, row.timestamp, row.step)
        for row in session.scalars(mine)
    ]
    latest = dict(run.latest)
    for point in new:
        latest[point.key] = _latest(latest.get(point.key), point)
    run.latest = latest
    return new


def _latest(before: Mapping[str, Any] | None, point: Logged) -> dict[str, Any]:
    """Return what is kept of the last point by step, then by time, as MLflow has it."""
    value = None if math.isnan(point.value) else point.value
    found = {"value": value, "timestamp": point.timestamp, "step": point.step, "n": 1, "zeros": point.step == 0}
    if before is None:
        return found
    count = {"n": before["n"] + 1, "zeros": before["zeros"] and point.step == 0}
    if before.get("mixed") or (before["zeros"] and before["n"] > 1 and point.step != 0):
        count["mixed"] = True  # a loop that named no steps, and then did: places were taken for steps
    later = (point.step, point.timestamp) >= (before["step"], before["timestamp"])
    return (found if later else dict(before)) | count
