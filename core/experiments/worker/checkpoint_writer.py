"""Writes the checkpoints of an attempt to files, aside of its training."""

import logging
import threading
from collections.abc import Callable

from core.experiments.cohorts.checkpoints import CheckpointRef, CheckpointStore
from core.files import FilesUnavailable
from core.store import Status
from core.training import Checkpoint

log = logging.getLogger(__name__)


class CheckpointWriter:
    """The checkpoint files of an attempt, and the one that counts."""

    def __init__(
        self,
        store: CheckpointStore,
        resume_from: CheckpointRef | None,
        deliver: Callable[[CheckpointRef | None], None],
    ) -> None:
        """`deliver` is given each file as soon as it is whole on the disk; None for one that could not be written."""
        self._store = store
        self._deliver = deliver
        self._writing: threading.Thread | None = None
        self.resume_from = resume_from
        """The checkpoint that counts: the database has said so."""

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint in a thread of its own; not at all where the one before is still being written."""
        if self._writing is None or not self._writing.is_alive():  # a disk that is slower than the pace misses some
            self._writing = threading.Thread(target=self._write, args=[checkpoint], name="checkpoint", daemon=True)
            self._writing.start()

    def save_last(self, checkpoint: Checkpoint) -> None:
        """Write the checkpoint of a trainer that has stopped, and wait for the file."""
        self.join()
        self._write(checkpoint)

    def join(self) -> None:
        """Wait for the file that is being written."""
        if self._writing is not None:
            self._writing.join()

    def committed(self, checkpoint: CheckpointRef) -> None:
        """Know that a checkpoint counts, and remove the files before it but one, should this one be damaged."""
        self._clear(checkpoint, self.resume_from)
        self.resume_from = checkpoint

    def ended(self, status: Status, checkpoint: CheckpointRef | None) -> None:
        """Remove the files that nobody needs, of a cohort that has this status; `checkpoint` counts since its end."""
        if status in (Status.SUCCEEDED, Status.CANCELLED):
            self._clear()
        elif checkpoint is not None:
            self._clear(checkpoint, self.resume_from)

    def _clear(self, newest: CheckpointRef | None = None, before: CheckpointRef | None = None) -> None:
        try:
            self._store.clear(newest, before)
        except FilesUnavailable as error:  # a clean-up will find them
            log.warning("checkpoints that nobody needs stay for now: %s", error)

    def _write(self, checkpoint: Checkpoint) -> None:
        try:
            ref = self._store.write(checkpoint)
        except (
            OSError,
            FilesUnavailable,
        ) as error:  # of a full disk, too: training goes on
            log.warning("no checkpoint of update %d could be written: %s", checkpoint.step, error)
            self._deliver(None)
            return
        self._deliver(ref)
