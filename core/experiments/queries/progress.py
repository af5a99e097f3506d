"""Counts how far experiments have come."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import Warned
from core.experiments.cohorts.counts import count
from core.experiments.cohorts.designs import is_external
from core.experiments.cohorts.states import TERMINAL
from core.experiments.queries.plugins import missing, pins_of_workers
from core.plugins import Pin
from core.store import Cohort, Experiment, Run, Status, now

MOST_WANTED = 100
TOLD = ("steps_done", "steps_total", "runs_done", "runs_total", "runs_cancelled")
"""The counts of an experiment in all."""


class WantedRun(NamedTuple):
    """A run that somebody is to train."""

    run: int
    arm: str
    seed: int


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
    cancelled: int
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
    """The arms that came to nothing although nothing failed, see `_lost`, and the plug-ins that it waits for."""
    next: list[WantedRun]
    """The runs that are wanted now, seed by seed, where others train them; the first `MOST_WANTED` of them."""

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

    @property
    def runs_cancelled(self) -> int:
        """Return how many of the runs that are done were stopped by a user."""
        return sum(arm.cancelled for arm in self.arms)


def progress_of(session: Session, of: Experiment) -> Progress:
    """Return the progress of one experiment."""
    return progress_by_id(session, [of])[of.id]


def progress_of_new(of: Experiment) -> Progress:
    """Return the progress of an experiment that this very transaction has made: nothing has happened to it."""
    return _progress(of, of.progress or {}, (), 0.0)


def progress_by_id(session: Session, of: Sequence[Experiment]) -> dict[int, Progress]:
    """Return the progress of each experiment, by id: as it is kept, or counted from the runs; two queries for all."""
    kept = {one.id: _kept(one) for one in of}
    uncounted = [number for number, known in kept.items() if known is None]
    arms = count(session, uncounted) if uncounted else {}
    changing = [one.id for one in of if kept[one.id] is None or one.status not in TERMINAL]
    cohorts: dict[int, list[Any]] = {one: [] for one in changing}
    columns = (
        *(Cohort.experiment_id, Cohort.status, Cohort.attempt, Cohort.cancel_requested, Cohort.paused),
        *(Cohort.error, Cohort.plugins),
    )
    if changing:
        for row in session.execute(select(*columns).where(Cohort.experiment_id.in_(changing)).order_by(Cohort.id)):
            cohorts[row.experiment_id].append(row)
    clock = (session.scalar(select(now())) or 0.0) if uncounted else 0.0
    waiting = {one for one, rows in cohorts.items() if any(row.plugins and row.status == Status.QUEUED for row in rows)}
    workers = pins_of_workers(session) if waiting else []
    wanted = _wanted(session, [one.id for one in of if one.status not in TERMINAL and is_external(one)])
    found = {}
    for one in of:
        counted, of_cohorts = kept[one.id] or {"arms": arms[one.id]}, cohorts.get(one.id)
        progress = _progress(one, counted, of_cohorts, clock, wanted.get(one.id, ()))
        if one.id in waiting:
            needed = {name: Pin.model_validate(pin) for name, pin in one.spec.get("plugins", {}).items()}
            progress.warnings.extend(missing(needed, workers))
        found[one.id] = progress
    return found


def _kept(of: Experiment) -> Mapping[str, Any] | None:
    """Return the counts that are kept with an experiment, None where these are of before runs that end were told apart.

    Of an experiment that succeeded no run was cancelled.
    """
    known = of.progress
    told_apart = known is None or of.status == Status.SUCCEEDED or all("cancelled" in arm for arm in known["arms"])
    return known if told_apart else None


def _wanted(session: Session, ids: Sequence[int]) -> dict[int, list[WantedRun]]:
    """Return the runs that wait for their first points, of experiments that are trained elsewhere."""
    if not ids:
        return {}
    place = func.row_number().over(partition_by=Run.experiment_id, order_by=(Run.seed, Run.arm_index)).label("place")
    waits = (Cohort.status == Status.QUEUED, Cohort.look.is_(None), Run.experiment_id.in_(ids))
    all_of = select(Run.experiment_id, Run.id, Run.arm, Run.seed, place).join(Cohort, Cohort.id == Run.cohort_id)
    each = all_of.where(*waits).subquery()
    found: dict[int, list[WantedRun]] = {}
    for row in session.execute(select(each).where(each.c.place <= MOST_WANTED).order_by(each.c.place)):
        found.setdefault(row.experiment_id, []).append(WantedRun(row.id, row.arm, row.seed))
    return found


def _progress(
    of: Experiment,
    kept: Mapping[str, Any],
    cohorts: Sequence[Any] | None,
    clock: float,
    wanted: Sequence[WantedRun] = (),
) -> Progress:
    """`cohorts` are None where `kept` has what they say."""
    names = [one.name for one in fields(ArmProgress)]
    all_counts = _foreseen(kept["arms"]) if _is_of_unknown_length(of) else kept["arms"]
    arms = [ArmProgress(**{name: counts.get(name, 0) for name in names}) for counts in all_counts]
    left, done = sum(counts["left"] for counts in all_counts), sum(arm.steps_done for arm in arms)
    running = of.status == Status.RUNNING and of.started_at is not None and done
    if _is_of_unknown_length(of) and not any(arm.runs_done for arm in arms):
        running = False  # nobody can tell yet how long a run is
    rows = cohorts or ()
    return Progress(
        arms=arms,
        attempt=kept["attempt"] if cohorts is None else max((row.attempt for row in rows), default=0),
        cancelling=of.status not in TERMINAL and any(row.cancel_requested for row in rows),
        paused=of.status not in TERMINAL and any(row.paused for row in rows),
        errors=kept["errors"] if cohorts is None else list(dict.fromkeys(row.error for row in rows if row.error)),
        eta_seconds=(clock - (of.started_at or clock)) * left / done if running else None,
        warnings=[] if of.spec.get("kind") == "lr_range_test" else [*_lost(arms)],
        next=list(wanted),
    )


def _is_of_unknown_length(of: Experiment) -> bool:
    return of.status not in TERMINAL and is_external(of) and of.spec.get("steps") is None


def _foreseen(counts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return counts as if every run that has not ended were to be as long as the longest so far."""
    longest = max((arm.get("longest", 0) for arm in counts), default=0)
    found = []
    for arm in counts:
        total = arm["steps_total"] + (arm["runs_total"] - arm["runs_done"]) * longest
        found.append({**arm, "steps_total": total, "left": max(0, total - arm["steps_done"])})
    return found


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
