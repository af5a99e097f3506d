"""Lists of experiments: those that meet conditions, in pages that stay as they are."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from core.store import Experiment, Tag

THE_OTHERS = 2**52
"""Added to the id in a cursor that has come past one's own: all ids are below it, and JSON keeps the sum exactly."""


@dataclass(frozen=True, kw_only=True)
class Filters:
    """The experiments of a list: those that meet every condition; none given: all."""

    status: Sequence[str] = ()
    """Any of these."""
    tag: str | None = None
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

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions of a query."""
        found: list[ColumnElement[bool]] = []
        if self.status:
            found.append(Experiment.status.in_(self.status))
        if self.tag is not None:
            found.append(Experiment.tags.any(Tag.tag == self.tag))
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


def experiments(
    session: Session,
    filters: Filters = Filters(),
    *,
    limit: int,
    cursor: int | None = None,
    sort: Literal["newest", "oldest"] = "newest",
    first: str | None = None,
) -> tuple[list[Experiment], int | None, int]:
    """Return a page of experiments, the cursor of the next page, and how many there are on all pages.

    Those of the owner `first` come before all others. Ids grow with time, so that a page goes on after the last id of
    the page before, whatever was added or deleted.
    """
    wanted = filters.conditions()
    total = session.scalars(select(func.count()).select_from(Experiment).where(*wanted)).one()

    def part(condition: ColumnElement[bool], after: int | None, size: int) -> list[Experiment]:
        query = select(Experiment).where(*wanted, condition).limit(size)
        if after is not None:
            query = query.where(Experiment.id < after if sort == "newest" else Experiment.id > after)
        return list(session.scalars(query.order_by(Experiment.id.desc() if sort == "newest" else Experiment.id)))

    if first is None:
        found = part(true(), cursor, limit + 1)
        return found[:limit], found[limit - 1].id if len(found) > limit else None, total
    past = cursor is not None and cursor >= THE_OTHERS
    mine = [] if past else part(Experiment.owner == first, cursor, limit + 1)
    after = cursor - THE_OTHERS if cursor is not None and past else None
    others = part(Experiment.owner.is_distinct_from(first), after, limit + 1 - len(mine))
    found = [*mine, *others]
    if len(found) <= limit:
        return found, None, total
    last = found[limit - 1]
    return found[:limit], last.id + (0 if last.owner == first else THE_OTHERS), total
