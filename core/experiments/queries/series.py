"""Reads series, one after another: which there are, how many points they have, and the points."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import ColumnElement, case, func, literal, or_, select, true
from sqlalchemy.orm import Session

from core.analysis import part_means, thin
from core.design import Varied
from core.errors import InvalidSpec, Problem
from core.experiments.cohorts.designs import is_external, unit_in
from core.finite import finite_list
from core.metrics import diagnostics as layer_measures
from core.metrics import is_metric, metric_names
from core.registry import unknown
from core.results import Series
from core.store import AS_BYTES, Experiment, MetricBlock, Run, metric_blocks

AT_ONCE = 100
"""Blocks that are held of a query's; a merged one may have 128 KiB."""


class Extent(NamedTuple):
    """The number of points that are stored of what was asked for, blocks counted whole, and of those of an answer."""

    stored: int
    answered: int


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
    varied: Varied | None = None,
) -> Iterator[Series]:
    """Yield the series that were asked for, one after another in the order run, metric, while the session is open.

    `metrics` as `of_metrics` takes them; None: all, of diagnostics only with `diagnostics`. `first` and `last` bound
    the steps, both included. Of second trainings are all series with `repeat`, or those that differ by `varied`, and
    none without. Only one series is in memory at a time.
    """
    of = session.get_one(Experiment, experiment_id)
    elsewhere, unit_of = is_external(of), unit_in(of)
    everything = diagnostics or elsewhere  # where a name with a slash is no layer's
    wanted = _wanted(experiment_id, metrics, arm, seed, run_id, first, last, everything, repeat, varied)
    block = (MetricBlock.first, MetricBlock.n, MetricBlock.every, MetricBlock.values, MetricBlock.steps)
    query = (
        select(Run.id, Run.arm, Run.seed, MetricBlock.metric, *block)
        .join(Run, MetricBlock.run_id == Run.id)
        .where(*wanted)
        .order_by(Run.id, MetricBlock.metric, MetricBlock.first)
    )
    rows = session.execute(query, execution_options={"yield_per": AT_ONCE} | AS_BYTES)
    for (run, arm_of_run, seed_of_run, metric), blocks in itertools.groupby(
        rows, key=lambda row: (row.id, row.arm, row.seed, row.metric)
    ):
        steps, values = metric_blocks.join(blocks)
        start = 0 if first is None else int(np.searchsorted(steps, first))
        stop = len(steps) if last is None else int(np.searchsorted(steps, last, side="right"))
        if start < stop:
            yield Series(
                run_id=run,
                arm=arm_of_run,
                seed=seed_of_run,
                metric=metric,
                steps=steps[start:stop],
                values=values[start:stop],
                per=unit_of(metric) if elsewhere else None,
            )


def extent(
    session: Session, experiment_id: int, max_points: int | None = None, means: int | None = None, **asked: Any
) -> Extent:
    """Return how many points `series` would read, and how many are left where `as_json` thins each of them."""
    if is_external(session.get_one(Experiment, experiment_id)):
        asked["diagnostics"] = True
    wanted = _wanted(experiment_id, **asked)
    points = func.sum(MetricBlock.n).label("points")
    series_of = select(points).join(Run, MetricBlock.run_id == Run.id).where(*wanted)
    each = series_of.group_by(MetricBlock.run_id, MetricBlock.metric).subquery()
    most = each.c.points if max_points is None else literal(max_points)
    answered = case((each.c.points > most, most + (means or 0)), else_=each.c.points)
    stored, left = session.execute(select(func.sum(each.c.points), func.sum(answered))).one()
    return Extent(stored=int(stored or 0), answered=int(left or 0))


def refuse_unknown_metrics(of: Experiment, metrics: Sequence[str]) -> None:
    """Raise `InvalidSpec` for a metric that no experiment has, or that one trained elsewhere has not declared."""
    declared = {metric["name"] for metric in of.spec["metrics"]} if is_external(of) else None
    known = (*metric_names(), *layer_measures()) if declared is None else declared
    is_known = is_metric if declared is None else declared.__contains__
    problems = [unknown("metric", metric, known, "metric") for metric in metrics if not is_known(metric)]
    if problems:
        raise InvalidSpec(problems)


MOST_SEEDS = 20
"""Seeds that a refusal names."""


def refuse_unknown_run(session: Session, of: Experiment, arm: str | None, seed: int | None) -> None:
    """Raise `InvalidSpec` for a label or a seed that no run of an experiment has; None is none that was asked for."""
    mine = Run.experiment_id == of.id
    if arm is not None and not session.scalar(select(Run.id).where(mine, Run.arm == arm).limit(1)):
        known = session.scalars(select(Run.arm).where(mine).distinct())
        raise InvalidSpec([unknown("arm", arm, known, "arm")])
    if seed is not None and not session.scalar(select(Run.id).where(mine, Run.seed == seed).limit(1)):
        seeds = session.scalars(select(Run.seed).where(mine).distinct().order_by(Run.seed).limit(MOST_SEEDS + 1)).all()
        more = ", ..." if len(seeds) > MOST_SEEDS else ""
        told = f"no run has the seed {seed}; known: {', '.join(map(str, seeds[:MOST_SEEDS]))}{more}"
        raise InvalidSpec([Problem("seed", told)])


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


def as_json(one: Series, max_points: int | None, means: int | None = None) -> dict[str, Any]:
    """Return a series as the API gives it: floats that are not finite are None; thinned to `max_points` where asked.

    With the means of at most `means` parts where it is thinned, and None where its points are all there.
    """
    total = len(one.steps)
    steps, values = one.steps, one.values
    parts = None
    if max_points is not None and total > max_points:
        kept = thin(steps, values, max_points)
        parts = means and _means_as_json(one, means)
        steps, values = steps[kept], values[kept]
    return {
        "run_id": one.run_id,
        "arm": one.arm,
        "seed": one.seed,
        "metric": one.metric,
        "unit": one.unit,
        "steps": steps.tolist(),
        "values": finite_list(values),
        "total": total,
        "means": parts,
    }


def _means_as_json(one: Series, most: int) -> dict[str, Any]:
    found = part_means(one.steps, one.values, most)
    return {
        "width": found.width,
        "steps": found.steps.tolist(),
        "values": finite_list(found.values),
        "counts": found.counts.tolist(),
    }


def of_runs(
    experiment_id: int, arm: str | None, seed: int | None, repeat: bool | None, varied: Varied | None = None
) -> list[ColumnElement[bool]]:
    """Return the conditions of some runs of an experiment; None: of any."""
    wanted: list[ColumnElement[bool]] = [Run.experiment_id == experiment_id]
    if repeat is not None:
        wanted.append(Run.repeat.is_(repeat))
    if varied is not None:
        wanted.append(Run.varied == varied)
    if arm is not None:
        wanted.append(Run.arm == arm)
    if seed is not None:
        wanted.append(Run.seed == seed)
    return wanted


def _wanted(
    experiment_id: int,
    metrics: Sequence[str] | None,
    arm: str | None,
    seed: int | None,
    run_id: int | None,
    first: int | None,
    last: int | None,
    diagnostics: bool,
    repeat: bool,
    varied: Varied | None = None,
) -> list[ColumnElement[bool]]:
    """Return the conditions of the blocks of what `series` was asked for."""
    wanted = [*of_runs(experiment_id, arm, seed, repeat, varied), of_metrics(metrics or (), diagnostics)]
    if run_id is not None:
        wanted.append(Run.id == run_id)
    if first is not None:
        wanted.append(MetricBlock.first + (MetricBlock.n - 1) * MetricBlock.every >= first)
    if last is not None:
        wanted.append(MetricBlock.first <= last)
    return wanted
