"""Reads an experiment: its state and progress, its runs, its series, its results."""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, cast

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.orm import Session

from core.analysis import thin
from core.datasets import DatasetPaths
from core.design import Design
from core.errors import NotFound
from core.experiments.cohorts.states import TERMINAL
from core.finite import finite_list
from core.metrics import Task, unit_of
from core.metrics import diagnostics as layer_measures
from core.results import Outcome, Results, RunResult, Series
from core.spec import parse
from core.store import Cohort, Experiment, MetricBlock, Run, Status, Tag, metric_blocks, now
from core.training.designs import design_of, trained_results


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


def experiment(session: Session, experiment_id: int) -> Experiment:
    """Return one experiment; raises `NotFound`."""
    found = session.get(Experiment, experiment_id)
    if found is None:
        raise NotFound(f"there is no experiment {experiment_id}")
    return found


def run(session: Session, run_id: int) -> Run:
    """Return one run; raises `NotFound`."""
    found = session.get(Run, run_id)
    if found is None:
        raise NotFound(f"there is no run {run_id}")
    return found


def experiments(
    session: Session,
    *,
    limit: int,
    before: int | None = None,
    status: str | None = None,
    tag: str | None = None,
    name: str | None = None,
) -> tuple[list[Experiment], int | None]:
    """Return a page of experiments, newest first, and the cursor of the next page; `name` is a part of the name."""
    query = select(Experiment).order_by(Experiment.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(Experiment.id < before)
    if status is not None:
        query = query.where(Experiment.status == status)
    if tag is not None:
        query = query.where(Experiment.tags.any(Tag.tag == tag))
    if name is not None:
        query = query.where(Experiment.name.icontains(name, autoescape=True))
    found = list(session.scalars(query))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def progress(session: Session, of: Experiment) -> Progress:
    """Return the progress of one experiment."""
    return progresses(session, [of])[of.id]


def progresses(session: Session, of: Sequence[Experiment]) -> dict[int, Progress]:
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
    )


def version(session: Session, experiment_id: int) -> str:
    """Return a text that changes whenever anything shown of the experiment changes: an ETag."""
    row = session.execute(
        select(func.sum(Run.steps_done), func.sum(Run.attempt), func.count().filter(Run.status.in_(TERMINAL))).where(
            Run.experiment_id == experiment_id
        )
    ).one()
    found = session.execute(
        select(Experiment.status, Experiment.created_at).where(Experiment.id == experiment_id)
    ).one()
    return hashlib.blake2b(repr((experiment_id, *found, *map(str, row))).encode(), digest_size=12).hexdigest()


def runs(session: Session, experiment_id: int, arm: str | None = None, seed: int | None = None) -> Sequence[Run]:
    """Return the runs in the order arm, seed as the spec has them."""
    mine = _of(experiment_id, arm, seed)
    return session.scalars(select(Run).where(*mine).order_by(Run.id)).all()


def series(
    session: Session,
    experiment_id: int,
    *,
    metrics: Sequence[str] | None = None,
    arm: str | None = None,
    seed: int | None = None,
    run_id: int | None = None,
    first: int | None = None,
    last: int | None = None,
    diagnostics: bool = False,
) -> Iterator[Series]:
    """Yield the series that were asked for, one after another in the order run, metric, while the session is open.

    `metrics` as `of_metrics` takes them; None: all, of diagnostics only with `diagnostics`. `first` and `last` bound
    the steps, both included. Only one series is in memory at a time.
    """
    wanted = [*_of(experiment_id, arm, seed), of_metrics(metrics or (), diagnostics)]
    if run_id is not None:
        wanted.append(Run.id == run_id)
    if first is not None:
        wanted.append(MetricBlock.first + (MetricBlock.n - 1) * MetricBlock.every >= first)
    if last is not None:
        wanted.append(MetricBlock.first <= last)
    block = (MetricBlock.first, MetricBlock.n, MetricBlock.every, MetricBlock.values)
    query = (
        select(Run.id, Run.arm, Run.seed, MetricBlock.metric, *block)
        .join(Run, MetricBlock.run_id == Run.id)
        .where(*wanted)
        .order_by(Run.id, MetricBlock.metric, MetricBlock.first)
    )
    rows = session.execute(query, execution_options={"yield_per": 1000})
    for (run, arm_of_run, seed_of_run, metric), blocks in itertools.groupby(
        rows, key=lambda row: (row.id, row.arm, row.seed, row.metric)
    ):
        steps, values = metric_blocks.join(blocks)
        inside = (steps >= (first or 0)) & (steps <= (last if last is not None else steps[-1]))
        if inside.any():
            yield Series(
                run_id=run,
                arm=arm_of_run,
                seed=seed_of_run,
                metric=metric,
                steps=steps[inside],
                values=values[inside],
            )


def of_metrics(metrics: Sequence[str], diagnostics: bool = False) -> ColumnElement[bool]:
    """Return the condition of blocks of some metrics, `activation_std` meaning that of every layer.

    Without metrics: of all, with or without diagnostics.
    """
    if not metrics:
        return true() if diagnostics else ~metric_blocks.IS_DIAGNOSTIC
    of_layers = [
        MetricBlock.metric.startswith(f"{one}/", autoescape=True) for one in metrics if one in layer_measures()
    ]
    return or_(MetricBlock.metric.in_(metrics), *of_layers)


def as_json(one: Series, max_points: int | None) -> dict[str, Any]:
    """Return a series as the API gives it: floats that are not finite are None; thinned to `max_points` where asked."""
    total = len(one.steps)
    steps, values = one.steps, one.values
    if max_points is not None and total > max_points:
        kept = thin(steps, values, max_points)
        steps, values = steps[kept], values[kept]
    return {
        "run_id": one.run_id,
        "arm": one.arm,
        "seed": one.seed,
        "metric": one.metric,
        "unit": unit_of(one.metric),
        "steps": steps.tolist(),
        "values": finite_list(values),
        "total": total,
    }


def results(session: Session, of: Experiment, paths: DatasetPaths) -> Results:
    """Return the experiment as the analysis and the pictures take it; series are read while the session is open."""
    return trained_results(
        parse(of.spec),
        task=cast(Task, of.task),
        paths=paths,
        steps_per_epoch=of.steps_per_epoch,
        runs=[_result(run) for run in runs(session, of.id)],
        series=lambda metric: list(series(session, of.id, metrics=[metric])),
        rungs=of.rungs or (),
    )


def design(of: Experiment, paths: DatasetPaths) -> Design:
    """Return what an experiment compares, without a look at its runs."""
    return design_of(parse(of.spec), task=cast(Task, of.task), paths=paths, steps_per_epoch=of.steps_per_epoch)


def _result(run: Run) -> RunResult:
    return RunResult(
        id=run.id,
        arm=run.arm,
        seed=run.seed,
        status=run.status,
        outcome=cast(Outcome | None, run.outcome),
        final=run.final or {},
        seconds=run.finished_at - run.started_at if run.finished_at and run.started_at else None,
        steps_done=run.steps_done,
        steps_total=run.steps_total,
        energy_kwh=run.energy_kwh,
        co2e_g=run.co2e_g,
        energy_source=cast(Literal["measured", "estimated"] | None, run.energy_source),
    )


def _of(experiment_id: int, arm: str | None, seed: int | None) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [Run.experiment_id == experiment_id]
    if arm is not None:
        wanted.append(Run.arm == arm)
    if seed is not None:
        wanted.append(Run.seed == seed)
    return wanted
