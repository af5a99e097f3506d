"""Lists experiments in pages: those that meet conditions, in one of several orders."""

import base64
import binascii
import json
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Double, and_, case, cast, func, literal, or_, select, true
from sqlalchemy.orm import Session, selectinload

from core.errors import InvalidSpec, Problem
from core.experiments.cohorts.states import TERMINAL
from core.letters import unfit_name
from core.store import Experiment, Run, Tag

Sort = Literal["newest", "oldest", "name", "finished", "progress"]
"""Orders by the one that comes first: the last or the first post, the first name, the last end (those that have not
ended come last), or the one of which most is done."""
CURSOR = r"^o?[0-9]{1,19}(\.[A-Za-z0-9_-]{1,700})?$"
"""A page's place as text: the id of its last experiment, and by what else the list is in order."""
OTHERS = "o"
"""Before a place that has come past one's own experiments."""


@dataclass(frozen=True, kw_only=True)
class Filters:
    """The experiments of a list: those that meet every condition; none given: all."""

    status: Sequence[str] = ()
    """Any of these."""
    tags: Sequence[str] = ()
    """All of these."""
    name: str | None = None
    """A part of the name, in any case."""
    owner: str | None = None
    project: str | None = None
    hidden: Collection[str] = ()
    """Projects of which none is among them."""
    created_after: float | None = None
    """Seconds since 1970; that moment is among them."""
    created_before: float | None = None
    """Seconds since 1970; that moment is not among them."""

    @property
    def by_index(self) -> bool:
        """True where an index has what is asked for, but not in the order of the ids."""
        times = self.created_after is not None or self.created_before is not None
        return times or self.name is not None or bool(self.tags) or len(self.status) > 1

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions of a query."""
        tagged = (select(Tag.experiment_id).where(Tag.tag == tag) for tag in dict.fromkeys(self.tags))
        found: list[ColumnElement[bool]] = [Experiment.id.in_(ids) for ids in tagged]  # by the tags' index
        if self.status:
            found.append(Experiment.status.in_(self.status))
        if self.name is not None:
            found.append(Experiment.name.icontains(self.name, autoescape=True))
        if self.owner is not None:
            found.append(Experiment.owner == self.owner)
        if self.project is not None:
            found.append(Experiment.project == self.project)
        if self.hidden:
            found.append(Experiment.project.not_in(self.hidden))
        if self.created_after is not None:
            found.append(Experiment.created_at >= self.created_after)
        if self.created_before is not None:
            found.append(Experiment.created_at < self.created_before)
        return found


class Page(NamedTuple):
    """A page of a list, the cursor of the next one, and how many experiments there are on all pages."""

    items: list[Experiment]
    following: str | None
    total: int


class _Order(NamedTuple):
    """The order of a list: by a value, if any, and among equal values by id."""

    value: ColumnElement[Any] | None
    value_grows: bool
    id_grows: bool

    def clauses(self, by_index: bool) -> list[ColumnElement[Any]]:
        """Return what a query is ordered by; with `by_index` so that it goes by an index of what it asks for."""
        place = Experiment.id + literal(0) if by_index else Experiment.id  # of which there is none
        by_id = place if self.id_grows else place.desc()
        if self.value is None:
            return [by_id]  # type: ignore[list-item]  # a mapped column is one
        return [self.value if self.value_grows else self.value.desc(), by_id]  # type: ignore[list-item]

    def after(self, last_id: int, last: Any) -> ColumnElement[bool]:
        """Return the condition of what comes after the experiment of that id and value."""
        beyond = Experiment.id > last_id if self.id_grows else Experiment.id < last_id
        if self.value is None:
            return beyond
        further = self.value > last if self.value_grows else self.value < last
        return or_(further, and_(self.value == last, beyond))


def experiments(
    session: Session,
    filters: Filters = Filters(),
    *,
    limit: int,
    cursor: str | None = None,
    sort: Sort = "newest",
    reverse: bool = False,
    first: str | None = None,
) -> Page:
    """Return a page of experiments, with their tags; `reverse` turns the order round.

    Those of the owner `first` come before all others. A page goes on after the last experiment of the page before,
    whatever was added, deleted or renamed: its cursor holds what it was in order by. One whose place changes in between
    (`progress`) may be missed, or come twice. Raises `InvalidSpec` for a cursor of another order.
    """
    # A row has a whole spec: indexes say which there are, and no row is read but those of the page.
    removed = select(Experiment.id).where(Experiment.deleted_at.is_not(None))
    wanted = (*filters.conditions(), Experiment.id.not_in(removed))
    order = _order(sort, reverse)
    total = session.scalars(select(func.count()).select_from(Experiment).where(*wanted)).one()
    value = literal(None) if order.value is None else order.value
    query = select(Experiment.id, value).where(*wanted).order_by(*order.clauses(filters.by_index))
    place = None if cursor is None else order.after(*_place(cursor.removeprefix(OTHERS), sort))
    mine, others = Experiment.owner == first, Experiment.owner.is_distinct_from(first)
    parts: list[tuple[ColumnElement[bool], ColumnElement[bool] | None]] = [(mine, place), (others, None)]
    if first is None:
        parts = [(true(), place)]
    elif cursor is not None and cursor.startswith(OTHERS):
        parts = [(others, place)]
    found: list[tuple[int, Any]] = []
    for part, after in parts:
        if len(found) > limit:
            break
        beyond = part if after is None else part & after
        rows = session.execute(query.where(beyond).limit(limit + 1 - len(found)))
        found += [(one, last) for one, last in rows]
    ids = [one for one, _ in found[:limit]]
    page = select(Experiment).where(Experiment.id.in_(ids)).options(selectinload(Experiment.tags))
    loaded = {one.id: one for one in session.scalars(page)}
    items = [loaded[one] for one in ids]
    if len(found) <= limit:
        return Page(items, None, total)
    past = OTHERS if first is not None and items[-1].owner != first else ""
    return Page(items, past + _cursor(items[-1], found[limit - 1][1]), total)


def matching(session: Session, filters: Filters, *, after: int, limit: int) -> Sequence[int]:
    """Return the first ids after that one, in their order, of experiments that meet the conditions."""
    wanted = (*filters.conditions(), Experiment.deleted_at.is_(None), Experiment.id > after)
    return session.scalars(select(Experiment.id).where(*wanted).order_by(Experiment.id).limit(limit)).all()


def _order(sort: Sort, reverse: bool) -> _Order:
    value: ColumnElement[Any] | None = None
    value_grows = id_grows = False
    if sort == "oldest":
        id_grows = True
    elif sort == "name":
        value, value_grows = func.lower(Experiment.name), True
    elif sort == "finished":
        value = func.coalesce(Experiment.finished_at, literal(0.0, Double))
    elif sort == "progress":
        value = _share_done()
    return _Order(value, value_grows != reverse, id_grows != reverse)


def _share_done() -> ColumnElement[float]:
    """Return the part of an experiment's updates that is done; 1 where it has ended: its runs are not looked at."""
    done = func.sum(Run.steps_done) / func.nullif(cast(func.sum(Run.steps_total), Double), 0)
    share = select(done).where(Run.experiment_id == Experiment.id).correlate(Experiment).scalar_subquery()
    return case(
        (Experiment.status.in_(TERMINAL), literal(1.0, Double)), else_=func.coalesce(share, literal(0.0, Double))
    )


def _cursor(last: Experiment, value: Any) -> str:
    if value is None:
        return str(last.id)
    text = json.dumps(value).encode()
    return f"{last.id}.{base64.urlsafe_b64encode(text).decode().rstrip('=')}"


def _place(cursor: str, sort: Sort) -> tuple[int, Any]:
    """Return the id and the value of a cursor; raises `InvalidSpec` for one of another order, or of none."""
    id_of, _, packed = cursor.partition(".")
    kind = {"name": str, "finished": float, "progress": float}.get(sort, type(None))
    try:
        value: Any = json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))) if packed else None
        fits = type(value) is kind and (value is None or _is_storable(value)) and int(id_of) < 2**63
    except (ValueError, binascii.Error, RecursionError):
        fits = False
    if not fits:
        raise InvalidSpec([Problem("cursor", f"is no place in a list by {sort}: it should be `next` of such a page")])
    return int(id_of), value


def _is_storable(value: Any) -> bool:
    return unfit_name(value) is None if isinstance(value, str) else math.isfinite(value)
