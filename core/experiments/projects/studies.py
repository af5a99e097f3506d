"""Studies: chains of experiments of a project, whose verdicts share one error. A level is given once, with the post."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.analysis.statistics.online import level, wealth
from core.errors import InvalidSpec, NotFound, Problem
from core.store import Study, StudyEntry, now, serialise

Verdict = Literal["keep", "discard", "inconclusive"]
SIDES = 2
"""Only one of the two ways in which a test may be wrong keeps what is no better: a test at twice the level does so with
the level's chance."""
DEFAULT_ALPHA = 0.05


class Ruling(NamedTuple):
    """The decision about one experiment of a study."""

    experiment_id: int
    decision: Verdict
    arm: str | None
    """The arm to keep."""
    p: float | None


class Budget(NamedTuple):
    """The error of a study: what its experiments were given, and what is left for those to come."""

    spent: float
    left: float
    following: float
    """The alpha by which the next experiment would be judged, if it were posted now."""


def enter(session: Session, experiment_id: int, project: str, name: str, asked: float) -> float:
    """Give an experiment its place in a study, which is made if it is new; return the alpha that it is judged by.

    `asked` is the spec's alpha: that of the study, where it is its first experiment. Raises `InvalidSpec` for another
    one later. Experiments of a study enter it one after the other.
    """
    serialise(session, f"study {project}/{name}")
    study = session.get(Study, (project, name))
    if study is None:
        study = Study(project=project, name=name, alpha=asked, created_at=session.scalar(select(now())))
        session.add(study)
        session.flush()
    _must_fit(study, asked)
    before = entries(session, study)
    mine = _level(study, before)
    entry = StudyEntry(experiment_id=experiment_id, project=project, study=name, position=len(before) + 1, level=mine)
    session.add(entry)
    session.flush()
    return judged_at(study, mine)


def next_level(session: Session, project: str, name: str, asked: float, pending: Sequence[Ruling]) -> tuple[int, float]:
    """Return the place that an experiment would have in a study, posted now, and the alpha that it would be judged by.

    `pending` are the decisions that a post would store before. Raises `InvalidSpec` as `enter` does.
    """
    study = session.get(Study, (project, name)) or Study(project=project, name=name, alpha=asked)
    _must_fit(study, asked)
    before = entries(session, study)
    found = [*_found(before), *(len(before) for one in pending if one.decision == "keep")]
    return len(before) + 1, judged_at(study, level(len(before) + 1, found, study.alpha))


def _must_fit(study: Study, asked: float) -> None:
    if asked not in (study.alpha, DEFAULT_ALPHA):
        text = f"is given by the study {study.name!r}, which has {study.alpha:g} for all its experiments: leave it out"
        raise InvalidSpec([Problem("alpha", text)])


def judged_at(study: Study, given: float) -> float:
    """Return the alpha of a report of an experiment that was given this level: never above the study's own."""
    return min(SIDES * given, study.alpha)


def studies(session: Session, hidden: frozenset[str] = frozenset()) -> Sequence[Study]:
    """Return the studies of all projects that are not hidden, the newest first."""
    query = select(Study).where(Study.project.not_in(hidden)).order_by(Study.created_at.desc(), Study.name)
    return session.scalars(query).all()


def study(session: Session, project: str, name: str) -> Study:
    """Return one study; raises `NotFound`."""
    found = session.get(Study, (project, name))
    if found is None:
        raise NotFound(f"there is no study {name!r} in the project {project!r}")
    return found


def entries(session: Session, of: Study) -> Sequence[StudyEntry]:
    """Return the places of a study's experiments, in the order of their posts."""
    mine = (StudyEntry.project == of.project, StudyEntry.study == of.name)
    return session.scalars(select(StudyEntry).where(*mine).order_by(StudyEntry.position)).all()


def budget(of: Study, placed: Sequence[StudyEntry]) -> Budget:
    """Return what a study has spent and left."""
    levels = [entry.level for entry in placed]
    left = wealth(levels, len(_found(placed)), of.alpha)
    return Budget(spent=sum(levels), left=left, following=judged_at(of, _level(of, placed)))


def record(session: Session, project: str, name: str, rulings: Sequence[Ruling]) -> None:
    """Store decisions; what was decided before stays as it is, and so does every level that was given."""
    serialise(session, f"study {project}/{name}")
    mine = (StudyEntry.project == project, StudyEntry.study == name)
    last = session.scalar(select(func.max(StudyEntry.position)).where(*mine))
    for one in rulings:
        values = {"decision": one.decision, "arm": one.arm, "p": one.p, "known_after": last, "decided_at": now()}
        undecided = (*mine, StudyEntry.experiment_id == one.experiment_id, StudyEntry.decision.is_(None))
        session.execute(update(StudyEntry).where(*undecided).values(**values))


def _level(of: Study, before: Sequence[StudyEntry]) -> float:
    return level(len(before) + 1, _found(before), of.alpha)


def _found(placed: Sequence[StudyEntry]) -> list[int]:
    """Return when each experiment that is kept was known to be."""
    return [entry.known_after or entry.position for entry in placed if entry.decision == "keep"]
