"""Counts how far experiments have come."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import Warned
from core.experiments.cohorts.states import TERMINAL
from core.store import Cohort, Experiment, Run, Status, now


@dataclass(frozen=True)
class ArmProgress:
    """The progress of one arm."""

    label: str
    runs_done: int
    runs_total: int
    steps_done: int
    steps_total: int
    diverged: int
    failed: int
    stopped_early: int
    pruned: int


@dataclass(frozen=True)
class Progress:
    """The progress of an experiment, in all and by arm."""

    arms: list[ArmProgress]
    attempt: int
    """The attempts of the cohort that was claimed most often."""
    cancelling: bool
    paused: bool
    """Its cohorts wait for the user, or are about to."""
    errors: list[str]
    eta_seconds: float | None
    warnings: list[Warned]
    """The arms that came to nothing although nothing failed: see `_lost`."""

    @property
    def steps_done(self) -> int:
        return sum(arm.steps_done for arm in self.arms)

    @property
    def steps_total(self) -> int:
        return sum(arm.steps_total for arm in self.arms)

    @property
    def runs_done(self) -> int:
        return sum(arm.runs_done for arm in self.arms)

    @property
    def runs_total(self) -> int:
        return sum(arm.runs_total for arm in self.arms)


def progress_of(session: Session, of: Experiment) -> Progress:
    """Return the progress of one experiment."""
    return progress_by_id(session, [of])[of.id]


def progress_by_id(session: Session, of: Sequence[Experiment]) -> dict[int, Progress]:
    """Return the progress of each experiment, by id: counted from the runs, three queries for all."""
    ids = [one.id for one in of]
    ended = Run.status.in_(TERMINAL)
    rows = session.execute(
        select(
            Run.experiment_id,
            Run.arm,
            func.count().filter(ended).label("runs_done"),
            func.count().label("runs_total"),
            func.sum(Run.steps_done).label("steps_done"),
            func.sum(Run.steps_total).label("steps_total"),
            func.count().filter(Run.status == Status.FAILED).label("failed"),
            *(func.count().filter(Run.outcome == one).label(one) for one in ("diverged", "stopped_early", "pruned")),
            # a run that ended early has no updates left: what counts as work is less than its total
            func.sum(Run.steps_total - Run.steps_done).filter(~ended).label("left"),
        )
        .where(Run.experiment_id.in_(ids))
        .group_by(Run.experiment_id, Run.arm, Run.arm_index)
        .order_by(Run.experiment_id, Run.arm_index)
    ).all()
    cohorts = session.execute(
        select(Cohort.experiment_id, Cohort.attempt, Cohort.cancel_requested, Cohort.paused, Cohort.error)
        .where(Cohort.experiment_id.in_(ids))
        .order_by(Cohort.id)
    ).all()
    clock = session.scalar(select(now())) or 0.0
    return {
        one.id: _progress(
            one,
            [r for r in rows if r.experiment_id == one.id],
            [c for c in cohorts if c.experiment_id == one.id],
            clock,
        )
        for one in of
    }


def _progress(of: Experiment, rows: Sequence[Any], cohorts: Sequence[Any], clock: float) -> Progress:
    counts = [one.name for one in fields(ArmProgress) if one.name != "label"]
    arms = [ArmProgress(r.arm, **{name: int(getattr(r, name)) for name in counts}) for r in rows]
    left, done = sum(int(r.left or 0) for r in rows), sum(arm.steps_done for arm in arms)
    running = of.status == Status.RUNNING and of.started_at is not None and done
    return Progress(
        arms=arms,
        attempt=max((c.attempt for c in cohorts), default=0),
        cancelling=of.status not in TERMINAL and any(c.cancel_requested for c in cohorts),
        paused=of.status not in TERMINAL and any(c.paused for c in cohorts),
        errors=list(dict.fromkeys(c.error for c in cohorts if c.error)),
        eta_seconds=(clock - (of.started_at or clock)) * left / done if running else None,
        warnings=[] if of.spec.get("kind") == "lr_range_test" else [*_lost(arms)],
    )


def _lost(arms: Sequence[ArmProgress]) -> Iterator[Warned]:
    """Yield a warning of each arm of which every run diverged, or one where every arm did.

    A range test is not asked: its runs are to diverge.
    """
    lost = [arm for arm in arms if arm.diverged == arm.runs_total]
    if len(lost) == len(arms) > 1:
        runs = sum(arm.runs_total for arm in arms)
        yield {"path": "", "message": f"all {runs} runs of all {len(arms)} arms diverged: there is nothing to compare"}
        return
    for arm in lost:
        runs_of = f"all {arm.runs_total} runs" if arm.runs_total > 1 else "its only run"
        yield {"path": "", "message": f'"{arm.label}": {runs_of} diverged, so it has no result'}
