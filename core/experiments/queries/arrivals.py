"""Places of a viewer in what comes of runs that are trained elsewhere: by the posts that brought it, in their order.

The metrics of such a run go on each by itself, so that no update tells how far a viewer is. Its posts do: they are
counted, each block has the number of its own as its attempt, and a viewer's cursor of a run that has all of the posts
before one is that number. Blocks of a run that has ended are merged, and have the number of the last then: who had a
part of them is sent all of them again, after a `rewind`.
"""

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from core.experiments.queries.cursor import CohortCursor
from core.store import MetricBlock, Run


def target(session: Session, cohort: int, here: CohortCursor) -> CohortCursor | None:
    """Return where a viewer of a cohort is to be next; None where it is there."""
    if here.part is not None:
        return CohortCursor(attempt=here.part.step)
    mine = select(func.max(MetricBlock.attempt)).join(Run, Run.id == MetricBlock.run_id)
    last = session.scalar(mine.where(Run.cohort_id == cohort, MetricBlock.attempt >= here.attempt))
    return None if last is None else CohortCursor(attempt=last + 1)


def between(here: CohortCursor, there: CohortCursor | None) -> ColumnElement[bool]:
    """Return the condition of blocks that a viewer lacks, of those that it is to have next."""
    until = true() if there is None else MetricBlock.attempt < there.attempt
    return (MetricBlock.attempt >= here.attempt) & until


def is_merged(session: Session, cohort: int) -> bool:
    """Return whether the blocks of a cohort's run may be those of several posts."""
    return session.scalar(select(Run.id).where(Run.cohort_id == cohort, Run.merged).limit(1)) is not None
