"""Reads an experiment: its state, its runs, its series, its results."""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Literal, cast

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.orm import Session

from core.analysis import thin
from core.datasets import DatasetPaths
from core.design import Design
from core.errors import NotFound, Problem
from core.experiments.cohorts.states import TERMINAL
from core.finite import finite_list
from core.metrics import Task, unit_of
from core.metrics import diagnostics as layer_measures
from core.metrics import metrics as catalogue
from core.results import Outcome, Results, RunResult, Series
from core.spec import Spec, parse
from core.store import Event, Experiment, MetricBlock, Run, metric_blocks
from core.training.designs import design_of, trained_results


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


def version(session: Session, experiment_id: int) -> str:
    """Return a text that changes whenever anything shown of the experiment changes: an ETag."""
    row = session.execute(
        select(
            func.sum(Run.steps_done),
            func.sum(Run.attempt),
            func.count().filter(Run.status.in_(TERMINAL)),
            func.sum(Run.energy_kwh),  # and with it the rest of the cost: it grows with no update done around a pause
        ).where(Run.experiment_id == experiment_id)
    ).one()
    found = session.execute(
        select(Experiment.status, Experiment.created_at).where(Experiment.id == experiment_id)
    ).one()
    last = session.scalar(select(func.max(Event.id)).where(Event.experiment_id == experiment_id))
    parts = (experiment_id, *found, last, *map(str, row))
    return hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()


def runs(
    session: Session,
    experiment_id: int,
    arm: str | None = None,
    seed: int | None = None,
    repeat: bool | None = None,
) -> Sequence[Run]:
    """Return the runs in the order arm, seed as the spec has them: first trainings, and then second ones.

    With `repeat` those that are second trainings alone, or that are not.
    """
    mine = _of(experiment_id, arm, seed, repeat)
    return session.scalars(select(Run).where(*mine).order_by(Run.id)).all()


def page_of_runs(
    session: Session,
    experiment_id: int,
    arm: str | None = None,
    seed: int | None = None,
    repeat: bool | None = None,
    *,
    status: Sequence[str] = (),
    limit: int,
    cursor: int = 0,
) -> tuple[list[Run], int | None, int]:
    """Return a page of `runs`, of any of these statuses, the cursor of the next page, and how many there are in all."""
    mine = _of(experiment_id, arm, seed, repeat) + ([Run.status.in_(status)] if status else [])
    total = session.scalars(select(func.count()).select_from(Run).where(*mine)).one()
    found = list(session.scalars(select(Run).where(*mine, Run.id > cursor).order_by(Run.id).limit(limit + 1)))
    return found[:limit], found[limit - 1].id if len(found) > limit else None, total


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
    repeat: bool = False,
) -> Iterator[Series]:
    """Yield the series that were asked for, one after another in the order run, metric, while the session is open.

    `metrics` as `of_metrics` takes them; None: all, of diagnostics only with `diagnostics`. `first` and `last` bound
    the steps, both included. Of second trainings are all series with `repeat`, and none without. Only one series is in
    memory at a time.
    """
    wanted = [*_of(experiment_id, arm, seed, repeat), of_metrics(metrics or (), diagnostics)]
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
    spec = _spec(of)
    found = trained_results(
        spec,
        task=cast(Task, of.task),
        paths=paths,
        steps_per_epoch=of.steps_per_epoch,
        runs=[_result(run) for run in runs(session, of.id, repeat=False)],
        series=lambda metric: list(series(session, of.id, metrics=[metric])),
        rungs=of.rungs or (),
        measured=_measured(session, of),
        warnings=[Problem(one["path"], one["message"]) for one in of.warnings or ()],
    )
    if spec.repeat is None:
        return found
    return found.repeated_as(
        [_result(run) for run in runs(session, of.id, repeat=True)],
        lambda metric: list(series(session, of.id, metrics=[metric], repeat=True)),
    )


def design(session: Session, of: Experiment, paths: DatasetPaths) -> Design:
    """Return what an experiment compares, without reading its runs or its series."""
    return design_of(
        _spec(of),
        task=cast(Task, of.task),
        paths=paths,
        steps_per_epoch=of.steps_per_epoch,
        measured=_measured(session, of),
    )


def _spec(of: Experiment) -> Spec:
    """Return the spec as it was posted, under the name that the experiment has now: reports and pictures show it."""
    return parse({**of.spec, "name": of.name})


def _measured(session: Session, of: Experiment) -> Sequence[str]:
    """Return the metrics, beside those of every run, that some run has points of."""
    further = [metric.name for metric in catalogue.values() if metric.compared and not metric.standard]
    there = select(MetricBlock.metric).join(Run, Run.id == MetricBlock.run_id)
    return session.scalars(there.where(Run.experiment_id == of.id, MetricBlock.metric.in_(further)).distinct()).all()


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


def _of(experiment_id: int, arm: str | None, seed: int | None, repeat: bool | None) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [Run.experiment_id == experiment_id]
    if repeat is not None:
        wanted.append(Run.repeat.is_(repeat))
    if arm is not None:
        wanted.append(Run.arm == arm)
    if seed is not None:
        wanted.append(Run.seed == seed)
    return wanted
