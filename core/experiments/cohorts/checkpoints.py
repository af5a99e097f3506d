"""The files that cohorts go on from. A row of the database says which one counts; all others may be removed."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

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
    """The checkpoint files of one cohort. Workers that may take over from each other should see one folder."""

    def __init__(self, folder: Path, cohort_id: int, attempt: int) -> None:
        self._folder = folder
        self._cohort = f"cohort-{cohort_id}"
        self._attempt = attempt

    def write(self, checkpoint: Checkpoint) -> CheckpointRef:
        """Write a checkpoint to a file of its own; raises OSError.

        Its name has the attempt in it: a worker whose attempt is over writes over nothing that counts.
        """
        name = f"{self._cohort}-{self._attempt}-{checkpoint.step}.safetensors"
        checkpoint.write(self._folder / name)
        return CheckpointRef(
            name=name, sha256=_sha256(self._folder / name), step=checkpoint.step, epochs=checkpoint.epochs
        )

    def read(self, ref: CheckpointRef) -> Checkpoint:
        """Return the checkpoint; raises `DamagedCheckpoint` where the file is not what was written."""
        path = self._folder / ref.name
        try:
            if _sha256(path) != ref.sha256:
                raise DamagedCheckpoint(f"{ref.name} has another SHA-256 than when it was written")
        except OSError as error:
            raise DamagedCheckpoint(f"{ref.name} cannot be read: {error.strerror}") from error
        return Checkpoint.read(path)

    def clear(self, newest: CheckpointRef | None = None, before: CheckpointRef | None = None) -> None:
        """Remove the cohort's files but those that count, and those that are younger than the newest.

        The next one may be on its way already, of this attempt or of another that has taken over.
        """
        counts = {ref.name for ref in (newest, before) if ref is not None}
        for path in self._folder.glob(f"*{self._cohort}-*"):
            if path.name not in counts and (newest is None or _age(path.name) < _age(newest.name)):
                path.unlink(missing_ok=True)


def _age(name: str) -> tuple[int, int]:
    """Return the attempt and the step in the name of a file, or of one that is not yet whole."""
    attempt, step = name.split(".safetensors")[0].rsplit("-", 2)[1:]
    return int(attempt), int(step)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
