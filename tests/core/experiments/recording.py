"""Recorders of claims, for tests that measure without any training."""

import threading
from pathlib import Path
from typing import NoReturn

from core.experiments.cohorts.checkpoints import CheckpointStore
from core.experiments.cohorts.claims import Claim
from core.experiments.worker.recorder import Attempt, AttemptRecorder
from core.experiments.worker.watchdog import Flag
from core.files import FileStore, FolderStore
from core.store import Database


def recorder_of(
    database: Database,
    held: Claim,
    folder: Path,
    *,
    lease: float = 30,
    draining: Flag | None = None,
    files: FileStore | None = None,
) -> AttemptRecorder:
    """Return the recorder of a claim whose checkpoints lie in a folder, or in `files`; nothing may hang."""
    return AttemptRecorder(
        Attempt(
            database=database,
            held=held,
            store=CheckpointStore(files or FolderStore(folder), held.cohort_id, held.attempt),
            lease_seconds=lease,
            draining=draining or threading.Event(),
            on_hang=_unexpected,
        )
    )


def _unexpected(_: AttemptRecorder, why: str) -> NoReturn:
    raise AssertionError(why)
