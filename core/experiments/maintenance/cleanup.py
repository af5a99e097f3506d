"""Removes files and rows that nobody needs any more, of processes that could not clean up."""

import re
import time
from collections.abc import Container
from contextlib import suppress
from pathlib import Path

from sqlalchemy import delete, select

from core.datasets import Uploads
from core.experiments.cohorts.idempotency import forget
from core.experiments.cohorts.states import ACTIVE
from core.experiments.projects import recount
from core.settings import Settings
from core.store import Cohort, Database, Experiment, Status, Webhook, Worker, now

OLD = 3600.0
"""Seconds after which a file that no row needs is removed: the row of a younger one may not be written yet."""
_OF_COHORT = re.compile(r"\.?cohort-(\d+)-")
_HALF_WRITTEN = re.compile(r"\.tmp\w{6}")
"""Names under which safetensors writes a file before it has its own; a killed process leaves it."""


def clean_up(database: Database, settings: Settings, old: float = OLD) -> int:
    """Remove checkpoints and logs that no row needs; returns how many files went.

    And workers not seen for a day, and idempotency keys that have ended.

    A cohort that failed keeps its checkpoint: it may be tried again. What is counted against quotas is counted anew.
    """
    with database.reading() as session:
        rows = session.execute(
            select(Cohort.id, Cohort.checkpoint, Cohort.checkpoint_before, Cohort.status).where(
                Cohort.status.in_((*ACTIVE, Status.FAILED))
            )
        ).all()
    needed = {row.checkpoint for row in rows} | {row.checkpoint_before["name"] for row in rows if row.checkpoint_before}
    running = {row.id for row in rows if row.status == Status.RUNNING}
    gone = _clear(settings.checkpoints, needed, running, old) + _clear(settings.logs_folder, (), running, old)
    with database.transaction() as session:
        session.execute(delete(Worker).where(Worker.last_seen < now() - 86_400))
        for made in (Experiment, Webhook):
            forget(session, made)
    recount(database, lambda: ((one.project, one.owner, one.bytes) for one in Uploads(settings.uploads)))
    return gone


def _clear(folder: Path, needed: Container[str], running: Container[int], old: float) -> int:
    gone = 0
    for path in folder.glob("*") if folder.is_dir() else ():
        cohort = _OF_COHORT.match(path.name)
        is_ours = _HALF_WRITTEN.fullmatch(path.name) if cohort is None else int(cohort[1]) not in running
        if not is_ours or path.name in needed:
            continue
        with suppress(FileNotFoundError):  # its owner, or another sweeper, was first
            if time.time() - path.stat().st_mtime > old:
                path.unlink()
                gone += 1
    return gone
