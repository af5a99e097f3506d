"""The files that cohorts go on from. A row of the database says which one counts; all others may be removed."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from core.files import FileStore
from core.files.file_store import DamagedFile
from core.store import Cohort
from core.training import Checkpoint, DamagedCheckpoint


@dataclass(frozen=True, kw_only=True)
class CheckpointRef:
    """A checkpoint file as its cohort's row knows it."""

    name: str
    sha256: str
    step: int
    """Updates that it holds."""
    epochs: int
    """Epochs whose metrics had been measured."""

    @classmethod
    def of(cls, cohort: Cohort) -> "CheckpointRef | None":
        """Return the checkpoint that a cohort goes on from."""
        if cohort.checkpoint is None or cohort.checkpoint_sha256 is None:
            return None
        return cls(
            name=cohort.checkpoint,
            sha256=cohort.checkpoint_sha256,
            step=cohort.checkpoint_step,
            epochs=cohort.checkpoint_epochs,
        )


class CheckpointStore:
    """The checkpoint files of one cohort. Workers that may take over from each other should see one file store."""

    def __init__(self, files: FileStore, cohort_id: int, attempt: int) -> None:
        self._files = files
        self._cohort = f"cohort-{cohort_id}"
        self._attempt = attempt

    def write(self, checkpoint: Checkpoint) -> CheckpointRef:
        """Write a checkpoint to a file of its own; raises OSError and `FilesUnavailable`.

        Its name has the attempt in it: a worker whose attempt is over writes over nothing that counts.
        """
        name = f"{self._cohort}-{self._attempt}-{checkpoint.step}.safetensors"
        path = self._files.place(name)
        checkpoint.write(path)
        sha256 = _sha256(path)
        self._files.put(name, path, sha256)
        return CheckpointRef(name=name, sha256=sha256, step=checkpoint.step, epochs=checkpoint.epochs)

    def read(self, ref: CheckpointRef) -> Checkpoint:
        """Return the checkpoint; raises `DamagedCheckpoint` where the file is not what was written.

        Raises `FilesUnavailable` where it cannot be looked at now.
        """
        try:
            path = self._files.local(ref.name, ref.sha256)
            if _sha256(path) != ref.sha256:
                raise DamagedCheckpoint(f"{ref.name} has another SHA-256 than when it was written")
        except OSError as error:
            raise DamagedCheckpoint(f"{ref.name} cannot be read: {error.strerror or error}") from error
        except DamagedFile as error:
            raise DamagedCheckpoint(f"{ref.name}: {error.detail}") from error
        return Checkpoint.read(path)

    def clear(self, newest: CheckpointRef | None = None, before: CheckpointRef | None = None) -> None:
        """Remove the cohort's files but those that count, and those that are younger than the newest.

        The next one may be on its way already, of this attempt or of another that has taken over.
        """
        counts = {ref.name for ref in (newest, before) if ref is not None}
        mine = f"{self._cohort}-"
        there = [one.name for one in (*self._files.list(mine), *self._files.half_written(mine))]
        self._files.remove(
            name for name in there if name not in counts and (newest is None or _age(name) < _age(newest.name))
        )


def _age(name: str) -> tuple[int, int]:
    """Return the attempt and the step in the name of a file."""
    attempt, step = name.split(".safetensors")[0].rsplit("-", 2)[1:]
    return int(attempt), int(step)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
