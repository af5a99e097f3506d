"""The worker's transactions: claim, and writes that only the latest claim may make."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, select, true, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.experiments.checkpoints import Kept
from core.experiments.holders import host_of
from core.experiments.read import values_of
from core.experiments.room import Room
from core.experiments.states import ACTIVE, TERMINAL, move_runs, settle
from core.results import EPOCH_METRICS, STEP_METRICS, Outcome
from core.spec import Spec, parse
from core.store import Cohort, Experiment, MetricBlock, Run, now, serialise
from core.training import Lane

QUIETLY = {"synchronize_session": False}
"""For an UPDATE of rows that the session does not hold."""


class Fenced(Exception):
    """The cohort belongs to a later claim, or has ended: this worker writes nothing more."""


@dataclass(frozen=True)
class Claim:
    """A cohort in this worker's hands."""

    cohort_id: int
    experiment_id: int
    attempt: int
    spec: Spec
    lanes: Sequence[Lane]
    """All runs of the cohort."""
    threads: int
    """Of the training process, as planned."""
    ended: frozenset[int] = frozenset()
    """Runs whose outcome is known: they keep the others company, as they did before, and are not recorded again."""
    kept: Kept | None = None
    """The checkpoint to go on from; points after it have been removed."""
    last: Mapping[int, dict[str, float | None]] = field(default_factory=dict)
    """The last values before it of the runs that have not ended, by metric; None where not finite."""


@dataclass(frozen=True)
class Ended:
    """How one run ended: its outcome, its updates, and the last value of each metric (None where not finite)."""

    outcome: Outcome
    steps: int
    final: dict[str, float | None]


@dataclass
class Flush:
    """What one transaction of a worker stores. `blocks` are rows of metric_blocks."""

    step: int = 0
    blocks: list[dict[str, Any]] = field(default_factory=list)
    ended: dict[int, Ended] = field(default_factory=dict)
    kept: Kept | None = None
    """A checkpoint whose points are all stored before, or in, this transaction."""


def claim(
    session: Session, holder: str, devices: Sequence[str], lease_seconds: float, room: Room | None = None
) -> Claim | None:
    """Take the most urgent queued cohort that runs on one of `devices`; None when there is none.

    None too when its threads do not fit into the holder's machine now, as far as `room` says: a narrower cohort behind
    it is left, or the wide one would never have its turn. Whoever ends last on this machine takes it.

    Its runs that have not ended go on from the cohort's checkpoint, or from their first update: later points are
    removed here, in the transaction that makes an older attempt's writes impossible.
    """
    if room is not None:  # one at a time on each host: two that claim at once would not count each other's threads
        serialise(session, f"claim on {host_of(holder)}")
    best = (
        select(Cohort.id)
        .where(Cohort.status == "queued", Cohort.device.in_(devices))
        .order_by(Cohort.priority.desc(), Cohort.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    cohort = session.scalar(
        update(Cohort)
        .where(Cohort.id == best, Cohort.status == "queued", room.for_cohort(holder) if room else true())
        .values(status="running", attempt=Cohort.attempt + 1, holder=holder, lease_until=now() + lease_seconds)
        .returning(Cohort)
    )
    if cohort is None:
        return None
    _roll_back(session, cohort)
    started = func.coalesce(Run.started_at, now())
    move_runs(
        session, cohort.id, "running", attempt=cohort.attempt, steps_done=cohort.checkpoint_step, started_at=started
    )
    settle(session, cohort.experiment_id)
    experiment = session.get_one(Experiment, cohort.experiment_id)
    spec = parse(experiment.spec)
    runs = session.scalars(select(Run).where(Run.cohort_id == cohort.id).order_by(Run.id)).all()
    lanes = [Lane(run.id, spec.expanded[run.arm_index].treatment, run.seed) for run in runs]
    ended = frozenset(run.id for run in runs if run.status in TERMINAL)
    kept = _kept(cohort)
    return Claim(
        *(cohort.id, cohort.experiment_id, cohort.attempt, spec, lanes, cohort.threads, ended, kept),
        {} if kept is None else _last_values(session, cohort),
    )


def anything_queued(session: Session, devices: Sequence[str]) -> bool:
    """Whether a claim may find something: a look, for bells that wake more workers than there is work."""
    waits = select(Cohort.id).where(Cohort.status == "queued", Cohort.device.in_(devices)).limit(1)
    return session.scalar(waits) is not None


def restart(session: Session, held: Claim) -> None:
    """Forget a checkpoint that cannot be used, with all points of the runs that have not ended. Raises `Fenced`."""
    forgotten = {"checkpoint": None, "checkpoint_sha256": None, "checkpoint_step": 0, "checkpoint_epochs": 0}
    cohort = session.scalar(update(Cohort).where(is_held(held)).values(**forgotten).returning(Cohort))
    if cohort is None:
        raise Fenced(f"cohort {held.cohort_id}, attempt {held.attempt}")
    _roll_back(session, cohort)
    move_runs(session, cohort.id, "running", steps_done=0)


def _roll_back(session: Session, cohort: Cohort) -> None:
    """Remove the points after the cohort's checkpoint of its runs that have not ended. No block lies across it."""
    active = select(Run.id).where(Run.cohort_id == cohort.id, Run.status.in_(ACTIVE))
    for metrics, first in ((STEP_METRICS, cohort.checkpoint_step), (EPOCH_METRICS, cohort.checkpoint_epochs)):
        after = (MetricBlock.run_id.in_(active), MetricBlock.metric.in_(metrics), MetricBlock.first >= first)
        session.execute(delete(MetricBlock).where(*after))


def _last_values(session: Session, cohort: Cohort) -> dict[int, dict[str, float | None]]:
    active = select(Run.id).where(Run.cohort_id == cohort.id, Run.status.in_(ACTIVE))
    series = (MetricBlock.run_id, MetricBlock.metric)
    newest = select(*series, func.max(MetricBlock.first)).where(MetricBlock.run_id.in_(active)).group_by(*series)
    found: dict[int, dict[str, float | None]] = {}
    for block in session.scalars(select(MetricBlock).where(tuple_(*series, MetricBlock.first).in_(newest))):
        value = float(values_of(block)[-1])
        found.setdefault(block.run_id, {})[block.metric] = value if math.isfinite(value) else None
    return found


def _kept(cohort: Cohort) -> Kept | None:
    if cohort.checkpoint is None or cohort.checkpoint_sha256 is None:
        return None
    return Kept(cohort.checkpoint, cohort.checkpoint_sha256, cohort.checkpoint_step, cohort.checkpoint_epochs)


def peek(session: Session, held: Claim) -> bool:
    """Whether the user asked to cancel, without a write. Raises `Fenced`."""
    cancel_requested = session.scalar(select(Cohort.cancel_requested).where(is_held(held)))
    if cancel_requested is None:
        raise Fenced(f"cohort {held.cohort_id}, attempt {held.attempt}")
    return cancel_requested


def renew(session: Session, held: Claim, lease_seconds: float) -> bool:
    """Extend the lease; returns whether the user asked to cancel. Raises `Fenced`.

    The UPDATE locks the row, so that whatever the transaction writes next cannot race a new claim.
    """
    cancel_requested: bool | None = session.scalar(
        update(Cohort).where(is_held(held)).values(lease_until=now() + lease_seconds).returning(Cohort.cancel_requested)
    )
    if cancel_requested is None:
        raise Fenced(f"cohort {held.cohort_id}, attempt {held.attempt}")
    return cancel_requested


def flush(session: Session, held: Claim, what: Flush) -> None:
    """Store measurements; call after `renew` in the same transaction. Storing the same blocks again changes nothing."""
    if what.blocks:
        insert = (postgresql if session.get_bind().dialect.name == "postgresql" else sqlite).insert
        rows = [block | {"attempt": held.attempt} for block in what.blocks]
        session.execute(insert(MetricBlock).on_conflict_do_nothing(), rows)
    if what.kept is not None:
        session.execute(
            update(Cohort)
            .where(is_held(held))
            .values(
                checkpoint=what.kept.name,
                checkpoint_sha256=what.kept.sha256,
                checkpoint_step=what.kept.step,
                checkpoint_epochs=what.kept.epochs,
                lost=0,  # whoever comes this far is no poison
            )
            .execution_options(**QUIETLY)
        )
    running = (Run.cohort_id == held.cohort_id, Run.status == "running")
    session.execute(update(Run).where(*running).values(steps_done=what.step).execution_options(**QUIETLY))
    if what.ended:
        _end_runs(session, held, what.ended)


def _end_runs(session: Session, held: Claim, ended: Mapping[int, Ended]) -> None:
    """Give runs that are still running their outcomes: one statement for all, a hundred runs at once are usual."""
    columns = ("outcome", "final", "steps_done")
    given = {name: bindparam(f"new_{name}", type_=getattr(Run, name).type) for name in columns}
    one = (
        update(Run)
        .where(Run.id == bindparam("this"), Run.cohort_id == held.cohort_id, Run.status == "running")
        .values(status="succeeded", finished_at=now(), **given)
    )
    session.connection().execute(
        one,
        [
            {"this": run, "new_outcome": end.outcome, "new_final": end.final, "new_steps_done": end.steps}
            for run, end in ended.items()
        ],
    )


def end(session: Session, held: Claim, status: str, error: str | None = None) -> None:
    """End the cohort, or give it back (`status="queued"`), with its runs that have not ended. Raises `Fenced`."""
    values: dict[str, Any] = {"status": status, "error": error, "lease_until": None}
    if status not in TERMINAL:
        values |= {"queued_at": now(), "holder": None}
    changed = session.scalar(update(Cohort).where(is_held(held)).values(**values).returning(Cohort.id))
    if changed is None:
        raise Fenced(f"cohort {held.cohort_id}, attempt {held.attempt}")
    move_runs(session, held.cohort_id, status, error=error)
    settle(session, held.experiment_id)


def is_held(held: Claim) -> ColumnElement[bool]:
    """The fence: whether `Cohort` is still in the hands of this claim."""
    return (Cohort.id == held.cohort_id) & (Cohort.attempt == held.attempt) & (Cohort.status == "running")
