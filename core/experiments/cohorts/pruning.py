"""Rungs, at which the cohorts of an experiment wait for each other: arms are pruned by what their runs measured.

A cohort that has come to the next rung is given back with its checkpoint and waits there. Once each other one waits too
or has ended, one transaction decides, ends the runs of pruned arms and lets the rest go on. The worker that gave
the last cohort back decides, or the sweeper. What is decided depends on the stored numbers, not on who came first.
"""

from collections.abc import Collection, Sequence
from typing import cast

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from core.analysis import RungValues, decide_rung, pruned_arms
from core.datasets import DatasetPaths
from core.design import Design
from core.experiments.cohorts.claims import Claim, last_values
from core.experiments.cohorts.events import record_event
from core.experiments.cohorts.leases import QUIETLY, Ended, end_if_over, end_runs, is_held, locked
from core.experiments.cohorts.states import ACTIVE, has_active, lock_cohorts, move_runs, set_status, settle, transition
from core.metrics import Task
from core.spec import parse_stored
from core.store import Cohort, Experiment, MetricBlock, Run, Status, metric_blocks, now
from core.training.designs import design_of, rung_rule


def wait(session: Session, held: Claim) -> Status:
    """Give a cohort back that has come to its rung; it is not taken again before `decide`. Raises `Fenced`.

    Returns its status, as `end` does: where the user cancelled it, it does not wait.
    """
    cohort = locked(session, held)
    if (over := end_if_over(session, held, cohort)) is not None:
        return over
    step = cohort.checkpoint_step
    session.execute(
        transition(Cohort, start=Status.RUNNING, to=Status.QUEUED)
        .where(is_held(held))
        .values(rung=held.rung, lease_until=None, holder=None, queued_at=now())
        .execution_options(**QUIETLY)
    )
    move_runs(session, held.cohort_id, start=Status.RUNNING, to=Status.QUEUED)
    settle(session, held.experiment_id)
    about = {"cohort": held.cohort_id, "attempt": held.attempt}
    record_event(session, held.experiment_id, "waiting", **about, epoch=held.rung, step=step)
    return Status.QUEUED


def waiting_for_a_decision(session: Session, experiment_id: int | None = None) -> Sequence[int]:
    """Return the experiments, of all or this one, whose cohorts have ended or come to a rung, one at least to it."""
    active = (Cohort.status.in_(ACTIVE), true() if experiment_id is None else Cohort.experiment_id == experiment_id)
    on_the_way = select(Cohort.experiment_id).where(*active, (Cohort.status == Status.RUNNING) | Cohort.rung.is_(None))
    found = select(Cohort.experiment_id).where(*active, Cohort.rung.is_not(None)).distinct()
    return session.scalars(found.where(Cohort.experiment_id.not_in(on_the_way))).all()


def decide(session: Session, experiment_id: int) -> bool:
    """Judge the arms at the rung that every cohort has come to, and let those of the others go on.

    Returns whether there was something to decide. Nothing is changed while a cohort is still on its way, nor where
    another has decided. Call it in a transaction of its own: it locks all cohorts, in the order of their ids.
    """
    lock_cohorts(session, experiment_id)
    cohorts = session.scalars(
        select(Cohort)
        .where(Cohort.experiment_id == experiment_id, Cohort.status.in_(ACTIVE))
        .order_by(Cohort.id)
        .execution_options(populate_existing=True)
    ).all()
    if not cohorts or any(cohort.status == Status.RUNNING or cohort.rung is None for cohort in cohorts):
        return False
    experiment = session.get_one(Experiment, experiment_id)
    spec = parse_stored(experiment.spec)
    rung = min(cohort.rung for cohort in cohorts if cohort.rung is not None)
    before = experiment.rungs or []
    task = cast(Task, experiment.task)
    rule = rung_rule(spec, task)
    design = design_of(spec, task=task, paths=DatasetPaths(), measured=[rule.metric])
    measured = _measured(session, experiment_id, design, rule.metric, rung)
    decision = decide_rung(design, rule, epoch=rung, measured=measured, before=before)
    experiment.rungs = [*before, dict(decision)]
    record_event(session, experiment_id, "rung", **decision)
    decided = pruned_arms([decision])
    again = session.scalars(select(now())).one()
    for cohort in cohorts:
        _end_pruned(session, cohort, decided)
        cohort.rung, cohort.queued_at = None, again
        if not has_active(session, cohort.id):
            set_status(cohort, Status.SUCCEEDED)
            about = {"cohort": cohort.id, "attempt": cohort.attempt}
            record_event(session, experiment_id, "ended", **about, status=Status.SUCCEEDED)
    session.flush()
    settle(session, experiment_id)
    return True


def _end_pruned(session: Session, cohort: Cohort, arms: Collection[str]) -> None:
    """Give the runs of pruned arms, which wait as their cohort does, their outcome and what they measured last."""
    mine = (Run.cohort_id == cohort.id, Run.status == Status.QUEUED, Run.arm.in_(arms))
    pruned = session.execute(select(Run.id, Run.steps_done).where(*mine)).all()
    if pruned:
        last = last_values(session, cohort)
        ended = {run: Ended(outcome="pruned", steps=steps, final=last.get(run, {})) for run, steps in pruned}
        end_runs(session, cohort.id, ended, start=Status.QUEUED)


def _measured(session: Session, experiment_id: int, design: Design, metric: str, rung: int) -> RungValues:
    """Return a metric of every run after the rung's epochs, of one stopped early before its last, and who was lost.

    Second trainings end where the first do, and decide nothing.
    """
    last, mine = rung - 1, (Run.experiment_id == experiment_id, ~Run.repeat)
    at = select(Run.arm, Run.seed, MetricBlock.first, MetricBlock.n, MetricBlock.values)
    at = at.join(Run, MetricBlock.run_id == Run.id).where(*mine, MetricBlock.metric == metric)
    there = (MetricBlock.first <= last, MetricBlock.first + MetricBlock.n > last)
    rows = session.execute(at.where(*there))
    found: list[tuple[str, int, float | None]] = [
        (row.arm, row.seed, float(metric_blocks.decode(row)[last - row.first])) for row in rows
    ]
    ended = session.scalars(select(Run).where(*mine, Run.outcome.in_(("stopped_early", "diverged")))).all()
    found += [
        (run.arm, run.seed, None if run.outcome == "diverged" else (run.final or {}).get(metric)) for run in ended
    ]
    return RungValues.of(design, found)
