"""The file stores that live processes see: API and workers have to see the same, or uploads would not be found."""

from collections.abc import Iterable

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from core.experiments.cohorts.process_ids import describe, this_process
from core.store import ApiProcess, Worker, now

ALIVE = 15.0
"""Seconds since its last sign for which a process counts as alive: three heartbeats. This module needs no torch."""
WAY_OUT = (
    "give all processes the same INITLAB_FILES_URL, or an INITLAB_DATA_DIR on a disk that all of them see; "
    "INITLAB_FILES_CHECK=warn, if nothing is ever uploaded"
)


def note_api(session: Session, files: str) -> None:
    """Note that this process of the API is alive, and sees this store; called at every heartbeat."""
    holder = this_process()
    found = session.get(ApiProcess, holder)
    seen_at = session.scalar(select(now())) or 0.0
    if found is None:
        session.add(ApiProcess(holder=holder, files=files, last_seen=seen_at))
    else:
        found.files, found.last_seen = files, seen_at


def forget_api(session: Session) -> None:
    """Remove this process of the API, and those that were not seen for long."""
    gone = (ApiProcess.holder == this_process()) | (ApiProcess.last_seen < now() - 86_400)
    session.execute(delete(ApiProcess).where(gone))


def differing_apis(session: Session, files: str) -> list[str]:
    """Return the live processes of the API that see another store, in words."""
    asked = select(ApiProcess.holder).where(ApiProcess.last_seen > now() - ALIVE, ApiProcess.files != files)
    return _in_words(session.scalars(asked))


def differing_workers(session: Session, files: str) -> list[str]:
    """Return the live training processes that see another store, in words; of some it is not known."""
    asked = select(Worker.holder).where(
        Worker.last_seen > now() - ALIVE, ~Worker.draining, func.length(Worker.files) > 0, Worker.files != files
    )
    return _in_words(session.scalars(asked))


def _in_words(holders: Iterable[str]) -> list[str]:
    return sorted(describe(holder) for holder in holders)
