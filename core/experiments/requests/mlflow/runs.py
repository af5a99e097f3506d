"""Runs of MLflow's: made, described, ended and deleted."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import InvalidSpec, NotFound, Problem
from core.experiments.cohorts.mlflow_points import counted
from core.experiments.requests.mlflow.judging import ENDS, bring, end, leave
from core.experiments.requests.quotas import Limits
from core.store import MlflowExperiment, MlflowRun

STATUSES = ("RUNNING", "SCHEDULED", *ENDS)
MOST_PARAMS = 2_000
LONGEST = 8_000
"""Characters of a param's or a tag's value."""
NAME = "mlflow.runName"
ARTIFACTS = "initlab.artifacts"


class NewRun(NamedTuple):
    """A run as a client makes it."""

    name: str
    user: str
    started: int
    tags: Mapping[str, str]


def create_run(session: Session, of: MlflowExperiment, new: NewRun) -> MlflowRun:
    """Make a run that is running. Raises `InvalidSpec` in an experiment that was deleted."""
    if of.deleted:
        raise InvalidSpec([Problem("experiment_id", f"the experiment {of.name!r} was deleted: restore it first")])
    identity = uuid.uuid4().hex
    name = (new.name or new.tags.get(NAME) or f"run-{identity[:8]}")[:250]
    made = MlflowRun(
        id=identity,
        of=of.id,
        name=name,
        said="RUNNING",
        user=new.user[:250],
        started=new.started,
        params={},
        tags={},
        latest={},
        inputs=[],
    )
    write_tags(made, dict(new.tags) | {NAME: name})
    session.add(made)
    session.flush()
    return made


def run(session: Session, run_id: str, hidden: Collection[str]) -> tuple[MlflowExperiment, MlflowRun]:
    """Return a run and its experiment. Raises `NotFound`."""
    found = session.get(MlflowRun, run_id)
    of = None if found is None else session.get_one(MlflowExperiment, found.of)
    if found is None or of is None or of.project in hidden:
        raise NotFound(f"there is no run {run_id}")
    return of, found


def runs_of(session: Session, experiment_ids: Sequence[int], *, deleted: bool | None) -> Sequence[MlflowRun]:
    """Return the runs of experiments, the newest first: those that are deleted, that are not, or (None) all."""
    query = select(MlflowRun).where(MlflowRun.of.in_(experiment_ids)).order_by(MlflowRun.started.desc(), MlflowRun.id)
    return session.scalars(query if deleted is None else query.where(MlflowRun.deleted.is_(deleted))).all()


def hold_run(session: Session, run_id: str) -> MlflowRun:
    """Return a run, locked until the transaction ends. Raises `NotFound`, and `InvalidSpec` for a deleted one."""
    found = session.get(MlflowRun, run_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(f"there is no run {run_id}")
    if found.deleted:
        raise InvalidSpec([Problem("run_id", f"the run {run_id} was deleted: restore it first")])
    return found


def write_params(run: MlflowRun, params: Mapping[str, str]) -> None:
    """Write params. Raises `InvalidSpec` for one that has another value: MLflow changes none."""
    for name, value in params.items():
        if run.params.get(name, value) != value:
            known = f"{name!r} was logged with the value {run.params[name]!r} before, and is not changed"
            raise InvalidSpec([Problem("params", known)])
    run.params = _short("params", {**run.params, **params})


def write_tags(run: MlflowRun, tags: Mapping[str, str]) -> None:
    """Write tags; that of the run's name gives it its name."""
    run.tags = _short("tags", {**(run.tags or {}), **tags})
    if tags.get(NAME):
        run.name = tags[NAME][:250]


def delete_tag(session: Session, run_id: str, key: str) -> None:
    """Remove a tag. Raises `NotFound` where the run has none of that name."""
    run = hold_run(session, run_id)
    if key not in run.tags:
        raise NotFound(f"the run {run_id} has no tag {key!r}")
    run.tags = {name: value for name, value in run.tags.items() if name != key}


def note_artifact(session: Session, run_id: str, name: str) -> None:
    """Write into a run's tag `initlab.artifacts` that a file was not kept."""
    run = hold_run(session, run_id)
    said = run.tags.get(ARTIFACTS, "not kept:")
    if f" {name[:100]}" not in said:
        run.tags = dict(run.tags) | {ARTIFACTS: f"{said}{',' if said[-1] != ':' else ''} {name[:100]}"[:1_000]}


def log_inputs(session: Session, run_id: str, datasets: Sequence[Mapping[str, Any]]) -> None:
    """Keep the data sets that a run was given, each once."""
    run = hold_run(session, run_id)
    run.inputs = [*run.inputs, *(one for one in map(dict, datasets) if one not in run.inputs)][:100]


def end_or_rename(
    session: Session, run_id: str, limits: Limits, *, status: str | None, ended: int | None, name: str | None
) -> MlflowRun:
    """Change the state of a run, or its name. One that goes on after its end is judged again with its next end."""
    run = hold_run(session, run_id)
    of = session.get_one(MlflowExperiment, run.of)
    if name:
        write_tags(run, {NAME: name})
    if status is not None and status not in STATUSES:
        raise InvalidSpec([Problem("status", f"is none of {', '.join(STATUSES)}")])
    if status is not None and (status != run.said or status in ENDS):
        again = run.said in ENDS
        run.said = status
        run.ended = ended if status in ENDS else None
        run.stale = run.stale or (again and status not in ENDS)
        session.flush()
        if status in ENDS:
            with counted(session, of, run, limits.quotas, may_move=True):
                end(session, of, run, limits)
    session.flush()
    return run


def set_deleted(session: Session, run_id: str, limits: Limits, *, deleted: bool) -> None:
    """Delete a run, which is judged no more, or restore it."""
    run = session.get_one(MlflowRun, run_id, with_for_update=True, populate_existing=True)
    of = session.get_one(MlflowExperiment, run.of)
    if run.deleted == deleted:
        return
    with counted(session, of, run, limits.quotas, may_move=True):
        if deleted:
            leave(session, run)
        run.deleted = deleted
        session.flush()
        if not deleted:
            (end if run.said in ENDS else _go_on)(session, of, run, limits)


def _go_on(session: Session, of: MlflowExperiment, run: MlflowRun, limits: Limits) -> None:
    bring(session, of, run, {}, limits)


def _short(what: str, named: dict[str, str]) -> dict[str, str]:
    """Return names with values, none of them too long, nor too many. Raises `InvalidSpec`."""
    if len(named) > MOST_PARAMS:
        raise InvalidSpec([Problem(what, f"a run has at most {MOST_PARAMS:,} of them")])
    for name, value in named.items():
        if len(name) > 250 or len(value) > LONGEST:
            message = f"{name[:80]!r} is longer than a name of 250 or a value of {LONGEST:,} characters"
            raise InvalidSpec([Problem(what, message)])
    return named
