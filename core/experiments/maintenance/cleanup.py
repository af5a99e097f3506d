"""Removes files and rows that nobody needs any more, of processes that could not clean up."""

import re
import time
from collections.abc import Container

from sqlalchemy import delete, select

from core.datasets import Uploads
from core.experiments.cohorts.idempotency import forget
from core.experiments.cohorts.mlflow_points import all_unjudged
from core.experiments.cohorts.states import ACTIVE
from core.experiments.cohorts.weights import OF_EXPERIMENT
from core.experiments.projects import recount
from core.files import FileStore, FolderStore, StoredFile, file_store, upload_place
from core.settings import Settings
from core.store import Cohort, Database, Experiment, Run, Status, Webhook, Worker, now

OLD = 3600.0
"""Seconds after which a file that no row needs is removed: the row of a younger one may not be written yet."""
_OF_COHORT = re.compile(r"\.?cohort-(\d+)-")
_HALF_WRITTEN = re.compile(r"\.tmp\w{6}")
"""Names under which safetensors writes a file before it has its own; a killed process leaves it."""


def clean_up(database: Database, settings: Settings, old: float = OLD) -> int:
    """Remove what no row needs of checkpoints, logs and weights, and arrays that no data set has; returns how many.

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
    uploads = Uploads(upload_place(settings))
    gone = _clear(file_store(settings).below("checkpoints"), needed, running, old)
    gone += _clear(FolderStore(settings.logs_folder), (), running, old) + uploads.clear(old)
    gone += _clear_weights(database, file_store(settings).below("weights"), old)
    with database.transaction() as session:
        session.execute(delete(Worker).where(Worker.last_seen < now() - 86_400))
        for made in (Experiment, Webhook):
            forget(session, made)
    recount(database, lambda: ((one.project, one.owner, one.bytes) for one in uploads), all_unjudged)
    return gone


def _clear_weights(database: Database, files: FileStore, old: float) -> int:
    """Remove the weights of experiments that are gone, and what attempts left whose end was never written."""
    there: dict[int, list[StoredFile]] = {}
    for one in (*files.list(), *files.half_written()):
        of = OF_EXPERIMENT.match(one.name)
        if of is not None:
            there.setdefault(int(of[1]), []).append(one)
    gone = []
    for experiment_id, found in there.items():
        with database.reading() as session:
            mine = Experiment.id == experiment_id, Experiment.deleted_at.is_(None)
            is_there = session.scalar(select(Experiment.id).where(*mine)) is not None
            rows = session.scalars(
                select(Run.weights).where(Run.experiment_id == experiment_id, Run.weights.is_not(None))
            ).all()
        needed = {ref["file"] for row in rows for ref in row.values()} if is_there else set()
        unneeded = [one for one in found if one.name not in needed]
        gone += [one.name for one in unneeded if not is_there or time.time() - one.modified > old]
    files.remove(gone)
    return len(gone)


def _clear(files: FileStore, needed: Container[str], running: Container[int], old: float) -> int:
    gone = []
    for one in (*files.list(), *files.half_written()):
        cohort = _OF_COHORT.match(one.name)
        is_ours = _HALF_WRITTEN.fullmatch(one.name) if cohort is None else int(cohort[1]) not in running
        if is_ours and one.name not in needed and time.time() - one.modified > old:
            gone.append(one.name)
    files.remove(gone)  # also what its owner, or another sweeper, has removed meanwhile
    return len(gone)
