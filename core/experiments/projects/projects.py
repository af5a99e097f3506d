"""Projects as they are asked for, made, changed and removed."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from core.errors import Conflict, NotFound
from core.experiments.projects.roles import RoleName
from core.store import Experiment, Member, Project, now

DEFAULT = "default"
"""The project of what names no other."""
LONGEST = 100 * 365.0
"""Days: a century."""

Who = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9-]{1,40}|@[^\s@][^\s]{0,38}|%[^\x00-\x1f\x7f]{1,199})$")]
"""A key's id, `@user` or `%group`."""
Most = Annotated[int, Field(ge=0, lt=2**63)] | None


class Quotas(BaseModel):
    """As much as may be stored at a time; null: as much as there is room for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    runs: Most = Field(None, description="runs of all experiments")
    points: Most = Field(None, description="points that these runs may have, all metrics together")
    bytes: Most = Field(None, description="bytes of data sets, as they are stored")


_OF_PROJECT = Project.__table__.c
_HOLD = (
    select(*(_OF_PROJECT[name] for name in Quotas.model_fields))
    .where(_OF_PROJECT.name == bindparam("project"))
    .with_for_update(read=True)
)
"""Made once: a post is to be quick."""


class ProjectChange(BaseModel):
    """A merge patch (RFC 7396) of a project: what is left out stays, a null removes."""

    model_config = ConfigDict(extra="forbid", strict=True)

    description: str = Field("", max_length=2000)
    default_role: Literal["viewer", "member"] | None = Field(
        None, description="of everybody who is no member; null: they do not see it"
    )
    keep_days: float | None = Field(
        None, ge=0, le=LONGEST, description="days for which what has ended is kept; null: as the service has it"
    )
    quotas: Quotas = Quotas()
    members: dict[Who, RoleName | None] = Field(
        {}, max_length=1000, description="roles by key id, `@user` or `%group`; null: no member any more"
    )


class ProjectSpec(ProjectChange):
    """A project to be made."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


def projects(session: Session) -> Sequence[Project]:
    """Return all projects, by name."""
    return session.scalars(select(Project).order_by(Project.name)).all()


def members(session: Session, name: str | None = None) -> Mapping[str, Mapping[str, str]]:
    """Return the roles of the members, by project and id; of one project, or of all."""
    query = select(Member).order_by(Member.project, Member.who)
    found: dict[str, dict[str, str]] = {}
    for one in session.scalars(query if name is None else query.where(Member.project == name)):
        found.setdefault(one.project, {})[one.who] = one.role
    return found


def project(session: Session, name: str, *, lock: bool = False) -> Project:
    """Return one project; raises `NotFound`. With `lock` it is this transaction's to change."""
    found = session.get(Project, name, with_for_update=True if lock else None)
    if found is None:
        raise NotFound(f"there is no project {name!r}")
    return found


def hold(session: Session, name: str) -> Quotas:
    """Have a project stay until the transaction ends; returns its quotas. Raises `Conflict` where it was deleted."""
    found = session.connection().execute(_HOLD, {"project": name}).one_or_none()
    if found is None:
        raise Conflict(f"the project {name!r} was deleted meanwhile")
    return Quotas.model_construct(**found._asdict())


def create(session: Session, spec: ProjectSpec) -> Project:
    """Make a project; raises `Conflict` where its name is taken."""
    if session.get(Project, spec.name) is not None:
        raise Conflict(f"there is a project {spec.name!r} already")
    made = Project(name=spec.name, description="", created_at=session.scalar(select(now())))
    session.add(made)
    session.flush()
    _apply(session, made, spec)
    return made


def change(session: Session, name: str, patch: ProjectChange) -> Project:
    """Change what a patch names of a project; raises `NotFound`."""
    found = project(session, name, lock=True)
    _apply(session, found, patch)
    return found


def delete(session: Session, name: str, datasets: Sequence[str] = ()) -> None:
    """Remove a project; raises `NotFound`, and `Conflict` for the default one and while it holds anything.

    `datasets` are the names of those that belong to it.
    """
    found = project(session, name, lock=True)
    if name == DEFAULT:
        raise Conflict("the default project stays: what names no project belongs to it")
    there = (Experiment.project == name, Experiment.deleted_at.is_(None))
    one = session.scalar(select(Experiment.id).where(*there).limit(1))
    if one is not None or datasets:
        held = f"experiment {one}" if one is not None else f"the data set {datasets[0]!r}"
        raise Conflict(f"the project {name!r} holds {held}: delete what it holds first")
    session.delete(found)


def keep_days(session: Session, default: float | None = None) -> Mapping[str, float | None]:
    """Return the days for which what has ended is kept, by project; `default` where it says none, None: for ever."""
    rows = session.execute(select(Project.name, Project.keep_days))
    return {name: default if days is None else days for name, days in rows}


def _apply(session: Session, to: Project, patch: ProjectChange) -> None:
    for name in patch.model_fields_set & {"description", "default_role", "keep_days"}:
        setattr(to, name, getattr(patch, name))
    if "quotas" in patch.model_fields_set:
        for name in patch.quotas.model_fields_set:
            setattr(to, name, getattr(patch.quotas, name))
    for who, role in patch.members.items():
        known = session.get(Member, (to.name, who))
        if role is not None:
            session.merge(Member(project=to.name, who=who, role=role))
        elif known is not None:
            session.delete(known)
    session.flush()
