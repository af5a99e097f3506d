"""Runs that are trained elsewhere: each is a cohort of its own, which no worker takes and whose lease points renew.

Whoever writes holds the row of the cohort, so that two that post at once come one after the other. A run begins with
the first that is heard of it; when nothing is heard for longer than its experiment allows, its lease has run out, and a
sweep counts it as lost, until more comes.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, undefer

from core.errors import Conflict, NotFound
from core.experiments.cohorts.eligibility import EXTERNAL
from core.experiments.cohorts.events import increment, record_event
from core.experiments.cohorts.leases import QUIETLY, Ended, end_runs
from core.experiments.cohorts.states import move_runs, settle, transition
from core.experiments.projects import Amount, Quotas, give_back, note_unfinished, take
from core.results import Outcome
from core.store import Cohort, EpochValue, Experiment, MetricBlock, Run, Status, now

NOTHING = (0, -1, None)
"""The points of a metric before the first one of a run: their number, the last step, its value."""
LEAST_RESERVED = 1_000
"""Points that a run counts for at least, once it has some."""


class Held(NamedTuple):
    """A run whose cohort is locked until the transaction ends, and what its experiment says of it."""

    run: Run
    cohort: Cohort
    experiment_id: int
    metrics: Sequence[dict[str, Any]]
    """As declared, in the canonical spec."""
    silent_seconds: float
    steps_per_epoch: int
    """1 where it is not known."""


def hold(session: Session, run_id: int) -> Held:
    """Lock the cohort of a run that is trained elsewhere. Raises `NotFound`, and `Conflict` for another run."""
    of_run = select(Cohort).join(Run, Run.cohort_id == Cohort.id).where(Run.id == run_id)
    cohort = session.scalar(of_run.with_for_update(of=Cohort).execution_options(populate_existing=True))
    spec = Experiment.spec
    about = select(
        Experiment.steps_per_epoch,
        spec["metrics"].label("metrics"),
        spec["silent_seconds"].label("silent_seconds"),
    ).where(Experiment.deleted_at.is_(None))
    # A statement of its own: in that of the lock the run's row would be the one of before the wait.
    found = cohort and session.execute(about.where(Experiment.id == cohort.experiment_id)).one_or_none()
    if cohort is None or not found:
        raise NotFound(f"there is no run {run_id}")
    if cohort.device != EXTERNAL:
        raise Conflict(f"run {run_id} is trained by this service: only runs of external experiments take points")
    of_cohort = select(Run).where(Run.cohort_id == cohort.id).options(undefer(Run.received))
    run = session.scalars(of_cohort.execution_options(populate_existing=True)).one()
    return Held(
        run=run,
        cohort=cohort,
        experiment_id=cohort.experiment_id,
        metrics=found.metrics,
        silent_seconds=found.silent_seconds,
        steps_per_epoch=found.steps_per_epoch[run.arm_index],
    )


def has_ended(held: Held) -> bool:
    """Return whether a run has come to its end, which stays: it is not lost, and nobody cancelled it."""
    return held.run.status == Status.SUCCEEDED or (held.run.status == Status.FAILED and not held.cohort.lost)


def hear(session: Session, held: Held) -> None:
    """Take a sign of life: the run begins with its first, and one that counted as lost is there again."""
    cohort, run = held.cohort, held.run
    if cohort.status == Status.RUNNING:
        _renew(session, held)
        return
    revived = cohort.status == Status.FAILED
    if revived:
        _move(session, held, Status.FAILED, Status.QUEUED, lost=0, error=None)
        again = transition(Run, start=Status.FAILED, to=Status.QUEUED).where(Run.id == run.id)
        steps = session.scalar(select(Experiment.spec["steps"]).where(Experiment.id == held.experiment_id)) or 0
        session.execute(again.values(error=None, finished_at=None, steps_total=steps).execution_options(**QUIETLY))
    attempt = cohort.attempt + 1
    _move(session, held, Status.QUEUED, Status.RUNNING, attempt=attempt, lease_until=now() + held.silent_seconds)
    started = {} if run.started_at else {"started_at": now()}
    move_runs(session, cohort.id, start=Status.QUEUED, to=Status.RUNNING, attempt=attempt, **started)
    settle(session, held.experiment_id)
    if revived:
        owner = session.scalar(select(Experiment.owner).where(Experiment.id == held.experiment_id))
        note_unfinished(session, owner, None)
    record_event(
        session,
        held.experiment_id,
        "revived" if revived else "started",
        cohort=cohort.id,
        attempt=attempt,
        **_about(run),
    )
    session.refresh(cohort)


def end(session: Session, held: Held, outcome: Outcome | None, error: str | None = None) -> None:
    """End a run that is running: as completed or diverged, or as failed where there is no outcome."""
    run, cohort = held.run, held.cohort
    status = Status.FAILED if outcome is None else Status.SUCCEEDED
    if outcome is not None:
        final = {metric: last for metric, (n, _, last, *_) in (run.received or {}).items() if n}
        end_runs(session, cohort.id, {run.id: Ended(outcome=outcome, steps=run.steps_done, final=final)})
    else:
        move_runs(session, cohort.id, start=Status.RUNNING, to=Status.FAILED, error=error)
    session.execute(update(Run).where(Run.id == run.id).values(steps_total=Run.steps_done).execution_options(**QUIETLY))
    _move(session, held, Status.RUNNING, status, lease_until=None, error=error)
    settle(session, held.experiment_id)
    about = _about(run) | {"status": status, "why": error}
    record_event(session, held.experiment_id, "ended", cohort=cohort.id, attempt=cohort.attempt, **about)


def lose(session: Session, cohort_id: int) -> bool:
    """Count the run of a cohort as lost, where its lease has run out; returns whether it has."""
    silent = (Cohort.id == cohort_id, Cohort.device == EXTERNAL, Cohort.lease_until < now())
    cohort = session.scalar(
        transition(Cohort, start=Status.RUNNING, to=Status.FAILED)
        .where(*silent)
        .values(lost=1, lease_until=None)
        .returning(Cohort)
    )
    if cohort is None:
        return False
    seconds = session.scalar(select(Experiment.spec["silent_seconds"]).where(Experiment.id == cohort.experiment_id))
    cohort.error = why = f"lost: nothing was heard of it for {seconds:g} s"
    session.flush()
    move_runs(session, cohort_id, start=Status.RUNNING, to=Status.FAILED, error=why, steps_total=Run.steps_done)
    settle(session, cohort.experiment_id)
    run = session.scalars(select(Run).where(Run.cohort_id == cohort_id)).one()
    about = _about(run) | {"why": why}
    record_event(session, cohort.experiment_id, "silent", cohort=cohort_id, attempt=cohort.attempt, **about)
    increment(session, "rescues")
    return True


def cancel_running(session: Session, experiment_id: int) -> Sequence[int]:
    """End the runs of an experiment that are trained elsewhere, at once: who trains them hears it when more comes."""
    mine = (Cohort.experiment_id == experiment_id, Cohort.device == EXTERNAL)
    cancelled = transition(Cohort, start=Status.RUNNING, to=Status.CANCELLED).where(*mine)
    found = session.scalars(cancelled.values(lease_until=None).returning(Cohort.id)).all()
    for cohort_id in found:
        move_runs(session, cohort_id, start=Status.RUNNING, to=Status.CANCELLED)
    return found


def restart(session: Session, experiment_id: int, cohort_ids: Sequence[int]) -> None:
    """Forget all points of failed runs that are queued again: who trains them begins anew."""
    columns = (Run.id, Run.cohort_id, Run.received, Run.arm, Run.seed)
    runs = session.execute(select(*columns).where(Run.cohort_id.in_(cohort_ids))).all()
    count(session, experiment_id, sum(reserved(total(run.received)) for run in runs), 0, Quotas())
    ids = [run.id for run in runs]
    for table in (MetricBlock, EpochValue):
        session.execute(delete(table).where(table.run_id.in_(ids)).execution_options(**QUIETLY))
    anew = {"received": None, "steps_done": 0, "started_at": None}
    session.execute(update(Run).where(Run.id.in_(ids)).values(**anew).execution_options(**QUIETLY))
    for run in runs:
        record_event(session, experiment_id, "restarted", cohort=run.cohort_id, **_about(run))


def total(received: Mapping[str, Any] | None) -> int:
    """Return the number of points that a run's posts brought."""
    return sum(n for n, *_ in (received or {}).values())


def is_late(received: Sequence[Any]) -> bool:
    """Return whether a metric, of which a run has received so much, was declared after the run's end."""
    return len(received) > len(NOTHING)


def expect_late(session: Session, experiment_id: int, metrics: Sequence[str]) -> None:
    """Have the runs of an experiment that have ended take points of metrics that are declared now, all the same."""
    ended = (Run.experiment_id == experiment_id, Run.status.in_((Status.SUCCEEDED, Status.FAILED)))
    waits = {metric: [*NOTHING, True] for metric in metrics}
    found = session.execute(select(Run.id, Run.received).where(*ended)).all()
    if found:
        values = [{"id": run, "received": waits | (received or {})} for run, received in found]
        session.execute(update(Run), values)


def reserved(points: int) -> int:
    """Return for how many points a run of so many counts: in steps of an eighth, so that it is seldom counted."""
    if not points:
        return 0
    part = max(LEAST_RESERVED, 1 << max(0, points.bit_length() - 3))
    return -(-points // part) * part


def count(session: Session, experiment_id: int, before: int, after: int, quotas: Quotas) -> None:
    """Count points of an experiment, `after` in place of `before`. Raises `QuotaExceeded`.

    The experiment's row is locked before those of usage, as by a run that begins: in no order two may wait for another.
    """
    if after == before:
        return
    changed = update(Experiment).where(Experiment.id == experiment_id).values(points=Experiment.points + after - before)
    of = changed.returning(Experiment.owner, Experiment.project).execution_options(**QUIETLY)
    owner, project = session.execute(of).one()
    if after > before:
        take(session, owner, project, Amount(points=after - before), quotas)
    else:
        give_back(session, owner, project, Amount(points=before - after))


def _about(run: Any) -> dict[str, Any]:
    return {"run": run.id, "arm": run.arm, "seed": run.seed}


def _renew(session: Session, held: Held) -> None:
    lease = {"lease_until": now() + held.silent_seconds}
    session.execute(update(Cohort).where(Cohort.id == held.cohort.id).values(lease).execution_options(**QUIETLY))


def _move(session: Session, held: Held, start: Status, to: Status, **values: Any) -> None:
    moved = transition(Cohort, start=start, to=to).where(Cohort.id == held.cohort.id)
    session.execute(moved.values(**values).execution_options(**QUIETLY))
