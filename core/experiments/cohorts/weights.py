"""The files of weights that runs have kept. A run's row says which of them count; all others may be removed."""

import hashlib
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from core.failpoints import reached
from core.files import FileStore, FilesUnavailable
from core.files.file_store import DamagedFile
from core.training.weights import write_weights

log = logging.getLogger(__name__)

OF_EXPERIMENT = re.compile(r"\.?experiment-(\d+)-run-")
"""The names of its files, and of what is half written of them."""


class WeightsRef(NamedTuple):
    """A file of weights as its run's row knows it, or the reason for which there is none."""

    file: str = ""
    """Its name among the weights of the file store."""
    sha256: str = ""
    bytes: int = 0
    epoch: int | None = None
    """The epochs after which these weights were the best; None where that is no question."""
    error: str | None = None


class WeightsStore:
    """The files of weights of one attempt. API and workers should see one file store."""

    def __init__(self, files: FileStore, experiment_id: int, attempt: int) -> None:
        self._files = files
        self._experiment = experiment_id
        self._attempt = attempt

    def write(self, run: int, which: str, weights: Mapping[str, torch.Tensor], about: Mapping[str, Any]) -> WeightsRef:
        """Write weights to a file of their own, and return it; where the disk or the store refuses, the reason.

        Its name has the attempt in it: a worker whose attempt is over writes over nothing that counts.
        """
        name = f"experiment-{self._experiment}-run-{run}-{self._attempt}-{which}.safetensors"
        try:
            path = self._files.place(name)
            write_weights(path, weights, about)
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            size = path.stat().st_size
            self._files.put(name, path, sha256)
        except (OSError, FilesUnavailable) as error:
            reason = error.detail if isinstance(error, FilesUnavailable) else error.strerror or str(error)
            log.warning("the %s weights cannot be kept: %s", which, reason, extra={"run": run})
            return WeightsRef(error=f"could not be written: {reason}")
        reached("weights.written")
        return WeightsRef(name, sha256, size, about.get("epoch"))


def path_of(files: FileStore, ref: Mapping[str, Any]) -> Path | None:
    """Return where a file of weights can be read, as a row has it; None where it is not there, or is damaged.

    Raises `FilesUnavailable`.
    """
    try:
        return files.local(ref["file"], ref["sha256"]) if ref["file"] else None
    except (FileNotFoundError, DamagedFile):
        return None
