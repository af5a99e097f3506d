"""Reads an experiment: its state, its runs, its series, its results."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from core.classification import ClassSummary
from core.datasets import DatasetPaths
from core.design import Design, Varied
from core.errors import NotFound
from core.experiments.cohorts import packed_bits
from core.experiments.cohorts.designs import again_of, design_of, is_external, results_of
from core.experiments.cohorts.environments import trained_in
from core.experiments.cohorts.states import TERMINAL
from core.experiments.queries.series import of_runs
from core.experiments.queries.series import series as series
from core.metrics import metrics as catalogue
from core.results import Outcome, Results, RunResult, Series
from core.store import Event, Experiment, MetricBlock, Run, Status


def experiment(session: Session, experiment_id: int) -> Experiment:
    """Return one experiment; raises `NotFound`."""
    found = session.get(Experiment, experiment_id)
    if found is None or found.deleted_at is not None:
        raise NotFound(f"there is no experiment {experiment_id}")
    return found


def run(session: Session, run_id: int) -> Run:
    """Return one run; raises `NotFound`."""
    of_experiment = select(Run).join(Experiment, Experiment.id == Run.experiment_id)
    found = session.scalar(of_experiment.where(Run.id == run_id, Experiment.deleted_at.is_(None)))
    if found is None:
        raise NotFound(f"there is no run {run_id}")
    return found


class State(NamedTuple):
    """A text that changes whenever anything shown of an experiment changes, and whether it has ended."""

    version: str
    ended: bool


def version(session: Session, experiment_id: int) -> str:
    """Return a text that changes whenever anything shown of the experiment changes: an ETag. Raises `NotFound`."""
    return state(session, experiment_id).version


_LAST = select(func.max(Event.id)).where(Event.experiment_id == bindparam("id")).scalar_subquery()
_STATE = select(Experiment.status, Experiment.created_at, _LAST).where(
    Experiment.id == bindparam("id"), Experiment.deleted_at.is_(None)
)
_MOVING = select(
    func.sum(Run.steps_done),
    func.sum(Run.attempt),
    func.count().filter(Run.status.in_(TERMINAL)),
    func.sum(Run.posts),
    func.sum(Run.energy_kwh),  # with it the rest of the cost: it grows with no update done around a pause
).where(Run.experiment_id == bindparam("id"))
"""Made once: a poller asks several times a second."""


def state(session: Session, experiment_id: int) -> State:
    """Return the version of an experiment, and whether it has ended. Raises `NotFound`."""
    found = session.execute(_STATE, {"id": experiment_id}).one_or_none()
    if found is None:
        raise NotFound(f"there is no experiment {experiment_id}")
    parts = (experiment_id, *found)
    ended = found.status in TERMINAL
    if not ended:  # of one that has ended nothing changes without an event
        parts += tuple(map(str, session.execute(_MOVING, {"id": experiment_id}).one()))
    return State(hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest(), ended)


def runs(
    session: Session,
    experiment_id: int,
    arm: str | None = None,
    seed: int | None = None,
    repeat: bool | None = None,
    varied: Varied | None = None,
) -> Sequence[Run]:
    """Return the runs in the order arm, seed as the spec has them: first trainings, and then second ones.

    With `repeat` those that are second trainings alone, or that are not; with `varied` those that differ by it.
    """
    mine = of_runs(experiment_id, arm, seed, repeat, varied)
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
    mine = of_runs(experiment_id, arm, seed, repeat) + ([Run.status.in_(status)] if status else [])
    total = session.scalars(select(func.count()).select_from(Run).where(*mine)).one()
    found = list(session.scalars(select(Run).where(*mine, Run.id > cursor).order_by(Run.id).limit(limit + 1)))
    return found[:limit], found[limit - 1].id if len(found) > limit else None, total


def results(session: Session, of: Experiment, paths: DatasetPaths, *, arm: str | None = None) -> Results:
    """Return the experiment as the analysis and the pictures take it; series are read while the session is open.

    With `arm` only the runs and series of that arm are read.
    """
    found = results_of(
        of,
        paths=paths,
        runs=[_result(run) for run in runs(session, of.id, arm, repeat=False)],
        series=lambda metric: series(session, of.id, metrics=[metric], arm=arm),
        measured=_measured(session, of),
        correct=lambda: _correct(session, of.id),
        classified=lambda: _classified(session, of.id),
    )
    found = replace(found, environments=[one.environment for one in trained_in(session, of.id)])

    def second(again: Varied) -> tuple[list[RunResult], Callable[[str], Iterable[Series]]]:
        mine = [_result(run) for run in runs(session, of.id, arm, varied=again)]
        return mine, lambda metric: series(session, of.id, metrics=[metric], arm=arm, repeat=True, varied=again)

    return found.with_second({again: second(again) for again in again_of(of)})


def _correct(session: Session, experiment_id: int) -> dict[int, NDArray[np.bool_]]:
    """Return which examples of the judged split the runs that have ended got right, by run."""
    mine = (Run.experiment_id == experiment_id, Run.status == Status.SUCCEEDED, Run.correct.is_not(None))
    found = session.execute(select(Run.id, Run.correct).where(*mine))
    return {run: packed_bits.unpack(packed) for run, packed in found if packed is not None}


def _classified(session: Session, experiment_id: int) -> dict[int, ClassSummary]:
    """Return the summaries of the classifiers of the runs that have ended, by run."""
    mine = (Run.experiment_id == experiment_id, Run.status == Status.SUCCEEDED, Run.classified.is_not(None))
    found = session.execute(select(Run.id, Run.classified).where(*mine))
    return {run: ClassSummary.unpack(packed) for run, packed in found if packed is not None}


def design(session: Session, of: Experiment, paths: DatasetPaths) -> Design:
    """Return what an experiment compares, without reading its runs or its series."""
    return design_of(of, paths, _measured(session, of))


def _measured(session: Session, of: Experiment) -> Sequence[str]:
    """Return the metrics, beside those of every run, that some run has points of."""
    if is_external(of):
        return ()
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
