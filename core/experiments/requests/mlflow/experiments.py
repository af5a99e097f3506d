"""Experiments of MLflow's: names under which runs come."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidSpec, NotFound, Problem
from core.experiments.projects import DEFAULT
from core.experiments.requests.mlflow.judging import restate
from core.store import MlflowExperiment, now, serialise

FIRST, FIRST_NAME = "0", "Default"
"""The id and the name of the experiment that MLflow's client takes where none is set."""
LONGEST = 500


def milliseconds(session: Session) -> int:
    """Return the time as MLflow has it."""
    return int(1000 * (session.scalar(select(now())) or 0))


def create_experiment(
    session: Session, name: str, tags: Mapping[str, str], *, owner: str | None, project: str = DEFAULT
) -> MlflowExperiment:
    """Make an experiment. Raises `Conflict` where the project has one of that name, deleted or not."""
    if not name.strip() or len(name) > LONGEST:
        raise InvalidSpec([Problem("name", f"should have 1 to {LONGEST} characters")])
    serialise(session, f"mlflow {project} {name}")
    known = session.scalar(_named(name, [project]))
    if known is not None:
        how = "deleted: restore it, or take another name" if known.deleted else f"there already, with the id {known.id}"
        raise Conflict(f"the experiment {name!r} is {how}")
    at = milliseconds(session)
    made = MlflowExperiment(name=name, project=project, owner=owner, tags=dict(tags), created=at, updated=at)
    session.add(made)
    session.flush()
    return made


def experiment(session: Session, asked: str, hidden: Collection[str], *, owner: str | None = None) -> MlflowExperiment:
    """Return an experiment by its id; 0 is that of who names none, and is made when it is first asked for.

    Raises `NotFound`.
    """
    if asked == FIRST:
        known = session.scalar(_named(FIRST_NAME, [DEFAULT]))
        return known or create_experiment(session, FIRST_NAME, {}, owner=owner)
    found = (
        session.get(MlflowExperiment, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None
    )
    if found is None or found.project in hidden:
        raise NotFound(f"there is no experiment {asked}")
    return found


def experiment_by_name(session: Session, name: str, hidden: Collection[str]) -> MlflowExperiment:
    """Return an experiment by its name, that of the default project first. Raises `NotFound`."""
    named = [one for one in session.scalars(_named(name)) if one.project not in hidden]
    if not named:
        raise NotFound(f"there is no experiment {name!r}")
    return min(named, key=lambda one: (one.project != DEFAULT, one.id))


def experiments(session: Session, hidden: Collection[str], *, deleted: bool | None) -> Sequence[MlflowExperiment]:
    """Return all experiments, the newest first: those that are deleted, that are not, or (None) all."""
    query = select(MlflowExperiment).where(MlflowExperiment.project.not_in(hidden)).order_by(MlflowExperiment.id.desc())
    return session.scalars(query if deleted is None else query.where(MlflowExperiment.deleted.is_(deleted))).all()


def rename(session: Session, one: MlflowExperiment, name: str) -> None:
    """Give an experiment another name. Raises `Conflict` where the project has one of that name."""
    serialise(session, f"mlflow {one.project} {name}")
    known = session.scalar(_named(name, [one.project]))
    if known is not None and known.id != one.id:
        raise Conflict(f"the experiment {name!r} is there already, with the id {known.id}")
    one.name, one.updated = name, milliseconds(session)


def set_deleted(session: Session, one: MlflowExperiment, deleted: bool) -> None:
    """Delete an experiment, or restore it; what its runs are judged in stays as it is."""
    one.deleted, one.updated = deleted, milliseconds(session)


def set_experiment_tag(session: Session, one: MlflowExperiment, key: str, value: str) -> None:
    """Set a tag; those that begin with `initlab.` say how runs are judged. Raises `InvalidSpec`."""
    one.tags = dict(one.tags) | {key: value}
    one.updated = milliseconds(session)
    if key.startswith("initlab."):
        restate(session, one)


def _named(name: str, projects: Collection[str] = ()) -> Select[MlflowExperiment]:
    found = select(MlflowExperiment).where(MlflowExperiment.name == name)
    return found.where(MlflowExperiment.project.in_(projects)) if projects else found
