"""Points, signs of life and ends of runs that are trained elsewhere: each is stored once, however often it comes."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidSpec, Problem
from core.experiments.cohorts.events import record_event
from core.experiments.cohorts.external import NOTHING, Held, count, end, has_ended, hear, hold, is_late, reserved, total
from core.experiments.cohorts.points import store_points
from core.experiments.projects import Quotas
from core.failpoints import reached
from core.finite import finite_or_none
from core.registry import unknown
from core.store import MetricBlock, Run, Status, announce, metric_blocks

ExternalOutcome = Literal["completed", "diverged", "failed"]


class Column(NamedTuple):
    """Points of one metric that follow on each other: the place of the first among all of the metric, their values."""

    first: int
    values: NDArray[np.float64]
    steps: NDArray[np.int64] | None = None
    """Those at which they were measured; None: their places."""


class Received(NamedTuple):
    """The points of a post that were new, and those that were there already."""

    stored: int
    known: int
    stop: bool
    """True: nobody wants more of this run, for it was cancelled."""


class Heard(NamedTuple):
    """The state of a run, as its trainer is told."""

    status: str
    outcome: str | None
    stop: bool
    next: Mapping[str, int]
    """The place of the next point of each metric that has some."""


def receive(session: Session, run_id: int, columns: Mapping[str, Column], quotas: Quotas) -> Received:
    """Store the points of a run that are not there yet. Storing the same again changes nothing.

    A run that has ended takes those of metrics that were declared after its end, and no others.
    `quotas` are those of the experiment's owner. Raises `InvalidSpec` for a metric that was not declared, and for steps
    that do not increase; `Conflict` for other values at places that have some, for a gap before the first place, and
    for a run that has ended otherwise or waits for a look; `QuotaExceeded`.
    """
    held = hold(session, run_id)
    if held.run.status == Status.CANCELLED:
        return Received(0, 0, stop=True)
    return _receive(session, held, columns, quotas)


def heartbeat(session: Session, run_id: int) -> Heard:
    """Take a sign of life. Raises as `receive` does for a run that failed or waits for a look."""
    held = hold(session, run_id)
    if held.run.status not in (Status.CANCELLED, Status.SUCCEEDED):
        _must_be_wanted(held)
        hear(session, held)
        session.refresh(held.run)
    return _heard(held.run)


def finish(
    session: Session,
    run_id: int,
    outcome: ExternalOutcome,
    *,
    error: str | None = None,
    columns: Mapping[str, Column] | None = None,
    quotas: Quotas,
) -> Heard:
    """End a run with its last points; the same again changes nothing. Raises as `receive` does.

    Raises `Conflict` where it has ended with another outcome. One that was cancelled stays so.
    """
    held = hold(session, run_id)
    run = held.run
    if run.status == Status.CANCELLED:
        return _heard(run)
    if columns:
        _receive(session, held, columns, quotas)
    if has_ended(held):
        was = run.outcome or "failed"
        if was != outcome:
            raise Conflict(f"run {run_id} has ended as {was}, which it stays")
        return _heard(run)
    _must_be_wanted(held)
    hear(session, held)
    session.refresh(run)
    reached("finish.before_commit")
    end(session, held, None if outcome == "failed" else outcome, error or _WITHOUT_REASON[outcome])
    session.refresh(run)
    if outcome != "failed":  # what failed may be tried again
        points = total(run.received)
        count(session, held.experiment_id, reserved(points), points, quotas)
    return _heard(run)


_WITHOUT_REASON: Mapping[ExternalOutcome, str | None] = {
    "completed": None,
    "diverged": None,
    "failed": "failed, as whoever trained it says",
}


def _receive(session: Session, held: Held, columns: Mapping[str, Column], quotas: Quotas) -> Received:
    run = held.run
    units = {metric["name"]: metric["per"] for metric in held.metrics}
    problems = [unknown("metric", name, units, f"points.{name}") for name in columns if name not in units]
    if problems:
        raise InvalidSpec(problems)
    there: dict[str, Any] = dict(run.received or {})
    blocks: list[dict[str, Any]] = []
    stored = known = 0
    for name, column in columns.items():
        n, last, _, *late = there.get(name, NOTHING)
        new = _new(session, run.id, name, column, n, last)
        known += len(column.values) - len(new.values)
        if new.steps is None or not len(new.values):
            continue
        if units[name] == "epoch" and new.steps[-1] >= 2**31:
            raise InvalidSpec([Problem(f"points.{name}.steps", "has an epoch that is not below 2^31")])
        stored += len(new.values)
        blocks.append(metric_blocks.encode_at(run.id, name, new.steps, new.values))
        there[name] = [n + len(new.values), int(new.steps[-1]), finite_or_none(float(new.values[-1])), *late]
    if has_ended(held) and all(is_late(there[block["metric"]]) for block in blocks):
        _add_late(session, held, blocks, there, stored, quotas)
        return Received(stored, known, stop=False)
    _must_be_wanted(held)
    hear(session, held)
    if blocks:
        before = total(run.received)
        count(session, held.experiment_id, reserved(before), reserved(before + stored), quotas)
        run.posts += 1
        run.received, run.steps_done = there, _steps_done(there, units, held)
        session.flush()
        store_points(session, blocks, run.posts, lambda name: units[name] == "epoch")
        announce(session, held.experiment_id)
        reached("points.before_commit")
    return Received(stored, known, stop=False)


def _add_late(
    session: Session,
    held: Held,
    blocks: list[dict[str, Any]],
    there: dict[str, Any],
    stored: int,
    quotas: Quotas,
) -> None:
    """Store points of a run that has ended, of metrics that were declared since: what else it came to stays."""
    run = held.run
    if not blocks:
        return
    before = total(run.received)
    if run.status == Status.SUCCEEDED:
        count(session, held.experiment_id, before, before + stored, quotas)
    else:
        count(session, held.experiment_id, reserved(before), reserved(before + stored), quotas)
    units = {metric["name"]: metric["per"] for metric in held.metrics}
    run.posts += 1
    run.received = there
    if run.final is not None:
        run.final = run.final | {block["metric"]: there[block["metric"]][2] for block in blocks}
    session.flush()
    store_points(session, blocks, run.posts, lambda name: units[name] == "epoch")
    about = {"run": run.id, "arm": run.arm, "seed": run.seed, "points": stored}
    record_event(session, held.experiment_id, "late", cohort=held.cohort.id, attempt=held.cohort.attempt, **about)


def _must_be_wanted(held: Held) -> None:
    """Raise `Conflict` for a run that takes no new points."""
    run, cohort = held.run, held.cohort
    if cohort.look is not None:
        text = f"its seed is trained only where the look after {cohort.look} seeds leaves a comparison open"
        raise Conflict(f"run {run.id} is not wanted yet: {text}")
    if run.status == Status.SUCCEEDED:
        raise Conflict(f"run {run.id} has ended as {run.outcome}: it takes no more points")
    if run.status == Status.FAILED and not cohort.lost:
        raise Conflict(f"run {run.id} has failed: retry experiment {run.experiment_id} to train it again")


def _new(session: Session, run_id: int, metric: str, column: Column, n: int, last: int) -> Column:
    """Return the part of a column that is not stored yet, with its steps, where `n` points are, until step `last`."""
    if column.first > n:
        raise Conflict(f"{metric}: points from place {n} on are missing; these begin at place {column.first}")
    overlap = min(n - column.first, len(column.values))
    steps = column.steps
    if overlap:
        _must_agree(session, run_id, metric, column, n, overlap)
    if steps is None:
        steps = np.arange(column.first, column.first + len(column.values), dtype=np.int64)
    steps = steps[overlap:]
    if len(steps) and (steps[0] <= last or (np.diff(steps) <= 0).any()):
        message = f"should increase, from above {last} on, where the last point before these was measured"
        raise InvalidSpec([Problem(f"points.{metric}.steps", message)])
    return Column(column.first + overlap, column.values[overlap:], steps)


def _must_agree(session: Session, run_id: int, metric: str, column: Column, n: int, overlap: int) -> None:
    """Raise `Conflict` where stored points of a metric, of which there are `n`, are others than a column's first."""
    stored = select(MetricBlock).where(MetricBlock.run_id == run_id, MetricBlock.metric == metric)
    blocks: list[MetricBlock] = []
    place = n
    rows = session.scalars(stored.order_by(MetricBlock.first.desc()).execution_options(yield_per=20))
    for block in rows:  # from the end: what is sent again is mostly what was sent last
        blocks.insert(0, block)
        place -= block.n
        if place <= column.first:
            break
    rows.close()
    steps, values = metric_blocks.join(blocks)
    part = slice(column.first - place, column.first - place + overlap)
    same = (values[part] == column.values[:overlap]) | (np.isnan(values[part]) & np.isnan(column.values[:overlap]))
    given = np.arange(column.first, column.first + overlap) if column.steps is None else column.steps[:overlap]
    same &= steps[part] == given
    if not same.all():
        at = column.first + int(np.flatnonzero(~same)[0])
        raise Conflict(f"{metric}: another point was stored at place {at} before; what is stored stays")


def _steps_done(there: Mapping[str, Any], units: Mapping[str, str], held: Held) -> int:
    """Return the updates that a run has made: as its metrics by update say, else those by epoch."""
    steps: list[int] = [last + 1 for name, (_, last, _) in there.items() if units[name] == "step"]
    epochs: list[int] = [
        (last + 1) * held.steps_per_epoch for name, (_, last, _) in there.items() if units[name] == "epoch"
    ]
    return max(steps or epochs)


def _heard(run: Run) -> Heard:
    places = {metric: n for metric, (n, *_) in (run.received or {}).items() if n}
    return Heard(run.status, run.outcome, stop=run.status == Status.CANCELLED, next=places)
