"""The request that a training process leaves: it takes no cohort any more, and others go on with what it trains."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.experiments.cohorts.process_ids import name_of
from core.store import Worker


def drain_worker(session: Session, name: str) -> None:
    """Ask a training process to leave; asking again changes nothing. Raises `NotFound` where none is called so.

    It learns of it when it looks for work, or with its next heartbeat. Its cohort goes back to the queue with a
    checkpoint, and its process ends.
    """
    holder = next((one for one in session.scalars(select(Worker.holder)) if name_of(one) == name), None)
    if holder is None:
        raise NotFound(f"there is no worker {name!r}: it has ended, or GET /workers has another name for it")
    session.execute(update(Worker).where(Worker.holder == holder).values(draining=True))
