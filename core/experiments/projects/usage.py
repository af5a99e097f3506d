"""Count what a project, and an owner in all projects, has stored, as it comes and goes, and hold it to quotas."""

from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any, NamedTuple

from sqlalchemy import case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.errors import InitlabError, Problem
from core.experiments.projects.projects import Quotas, hold
from core.store import Database, Experiment, Run, Usage

NOBODY = ""
"""The owner of what was stored where no keys are needed."""


class Amount(NamedTuple):
    """Runs, points that they may have, and bytes of data sets and of weights that runs may keep."""

    runs: int = 0
    points: int = 0
    bytes: int = 0


def _add(dialect: ModuleType) -> Any:
    """Return the statement that adds an amount to each of some rows, new ones too, and returns their sums."""
    rows = dialect.insert(Usage.__table__)
    there, added = Usage.__table__.c, rows.excluded
    sums = {field: there[field] + added[field] for field in Amount._fields}
    sums["unfinished"] = there.unfinished + added.runs  # what is not known stays so
    return rows.on_conflict_do_update(index_elements=["kind", "name"], set_=sums).returning(*there)


_ADD: Mapping[str, Any] = {"sqlite": _add(sqlite), "postgresql": _add(postgresql)}
"""Made once: a post is to be quick, and with its values in it a statement would be compiled each time."""


class QuotaExceeded(InitlabError):
    """There is as much as a quota allows: something has to be deleted first."""

    status = 403
    title = "Quota exceeded"


class FileQuotaExceeded(QuotaExceeded):
    """There are as many bytes of data sets and weights as a quota allows."""

    status = 413


def take(session: Session, owner: str | None, project: str, more: Amount, own: Quotas) -> int | None:
    """Count what is stored in this transaction; raises `QuotaExceeded` above the quota of the owner or the project.

    `own` are the quotas of the owner. From here to the commit one transaction of a project is on its way at a time, and
    one of an owner. Raises `Conflict` where the project was deleted meanwhile. Returns a number that the owner's runs
    which have not ended, with these, do not exceed; None: no such number is known.
    """
    quotas = {("owner", owner or NOBODY): own, ("project", project): hold(session, project)}
    connection = session.connection()
    added_to = [{"kind": kind, "name": name, **more._asdict()} for kind, name in quotas]
    stored = {(row.kind, row.name): row for row in connection.execute(_ADD[connection.dialect.name], added_to)}
    for (kind, name), limits in quotas.items():
        for field, added in more._asdict().items():
            most, there = getattr(limits, field), getattr(stored[kind, name], field)
            if added and most is not None and there > most:
                raise _refusal(kind, name, field, most, there - added, added)
    known: int | None = stored["owner", owner or NOBODY].unfinished
    return known


def note_unfinished(session: Session, owner: str | None, runs: int | None) -> None:
    """Note that no more of an owner's runs than this have not ended; None, where some that had ended go on: not known.

    From here to the commit one transaction of an owner is on its way at a time.
    """
    mine = (Usage.kind == "owner", Usage.name == (owner or NOBODY))
    session.execute(update(Usage).where(*mine).values(unfinished=runs).execution_options(synchronize_session=False))


def give_back(session: Session, owner: str | None, project: str, less: Amount) -> None:
    """Count off what is deleted in this transaction."""
    for kind, name in (("owner", owner or NOBODY), ("project", project)):
        left = {
            field: case((getattr(Usage, field) > gone, getattr(Usage, field) - gone), else_=0)
            for field, gone in less._asdict().items()
        }
        session.execute(
            update(Usage)
            .where(Usage.kind == kind, Usage.name == name)
            .values(**left)
            .execution_options(synchronize_session=False)
        )


def forget(session: Session, experiment: Experiment) -> None:
    """Count off an experiment that is deleted in this transaction, by whomever."""
    runs = session.scalar(select(func.count()).where(Run.experiment_id == experiment.id)) or 0
    give_back(session, experiment.owner, experiment.project, Amount(runs, experiment.points, experiment.weight_bytes))


def used(session: Session) -> dict[tuple[str, str], Amount]:
    """Return what is stored, by `("project", name)` and `("owner", id)`."""
    return {(one.kind, one.name): Amount(one.runs, one.points, one.bytes) for one in session.scalars(select(Usage))}


Held = Iterable[tuple[str, str | None, int]]
"""Projects, owners and what each of them has."""


def recount(
    database: Database, datasets: Callable[[], Held], unjudged: Callable[[Session], Held] = lambda _session: ()
) -> bool:
    """Count everything anew, and return whether the count was wrong, as after a crash; then it is put right.

    `datasets` gives project, owner and bytes of each, `unjudged` the points of runs that belong to no experiment. A
    look takes no lock that a post would wait for.
    """
    with database.reading() as session:
        if _same(used(session), _counted(session, datasets(), unjudged(session))):
            return False
    with database.transaction() as session:
        rows = session.scalars(select(Usage).with_for_update()).all()  # what is on its way comes to its end
        known = {(one.kind, one.name) for one in rows}
        right = _counted(session, datasets(), unjudged(session))
        for kind, name in right.keys() | known:
            session.merge(Usage(kind=kind, name=name, **right.get((kind, name), Amount())._asdict()))
    return True


def _counted(session: Session, datasets: Held, unjudged: Held) -> dict[tuple[str, str], Amount]:
    found: dict[tuple[str, str], Amount] = {}

    def add(project: str, owner: str | None, more: Amount) -> None:
        for key in (("project", project), ("owner", owner or NOBODY)):
            found[key] = Amount(*map(sum, zip(found.get(key, Amount()), more, strict=True)))

    mine = (Experiment.project, Experiment.owner)
    there = Experiment.deleted_at.is_(None)
    sums = func.sum(Experiment.points), func.sum(Experiment.weight_bytes)
    for project, owner, points, size in session.execute(select(*mine, *sums).where(there).group_by(*mine)):
        add(project, owner, Amount(points=int(points), bytes=int(size)))
    of_runs = select(*mine, func.count()).join(Run, Run.experiment_id == Experiment.id).where(there).group_by(*mine)
    for project, owner, runs in session.execute(of_runs):
        add(project, owner, Amount(runs=runs))
    for project, owner, size in datasets:
        add(project, owner, Amount(bytes=size))
    for project, owner, points in unjudged:
        add(project, owner, Amount(points=points))
    return found


def _same(one: dict[tuple[str, str], Amount], other: dict[tuple[str, str], Amount]) -> bool:
    return all(one.get(key, Amount()) == other.get(key, Amount()) for key in one.keys() | other.keys())


def _refusal(kind: str, name: str, field: str, most: int, there: int, added: int) -> QuotaExceeded:
    whose = f"the project {name!r}" if kind == "project" else f"{name}" if name else "this service"
    text = f"the quota of {field} of {whose} is {most:,}: {there:,} are there, and this would add {added:,}"
    kind_of_error = FileQuotaExceeded if field == "bytes" else QuotaExceeded
    return kind_of_error(f"{text}. Delete what is not needed, or ask an admin", [Problem(f"quotas.{field}", text)])
