"""Checkpoints: files that hold a cohort at some update, to resume from."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from core.errors import InitlabError
from core.failpoints import reached
from core.schedules import State
from core.spec import Patience

FORMAT = "1"


class DamagedCheckpoint(InitlabError):
    """The file is not a complete checkpoint of this version."""


@dataclass(frozen=True)
class Checkpoint:
    """All that the next update depends on. Random draws are functions of (seed, step) and need no storing."""

    step: int
    """Updates done."""
    epochs: int
    """Epochs evaluated: one less than those trained where the next thing to do is to evaluate."""
    runs: list[int]
    """The lanes of the stacks, in their order."""
    state: Mapping[str, torch.Tensor]
    """Tensors by name, (lanes, *shape) each, as `Program.state` returns them."""
    plateaus: Mapping[int, State] = field(default_factory=dict)
    """The states of schedules that answer to a metric, by run."""
    ended: list[int] = field(default_factory=list)
    """The runs among them that have diverged, and leave when their epoch ends."""
    patience: Mapping[int, Patience] = field(default_factory=dict)
    """The states of early stopping, by run."""

    def write(self, path: Path) -> None:
        """Write to a temporary file, sync it and rename it: the path always holds a complete checkpoint or none.

        Raises OSError.
        """
        reached("checkpoint.before_write")
        path.parent.mkdir(parents=True, exist_ok=True)
        place = {
            "step": self.step,
            "epochs": self.epochs,
            "runs": self.runs,
            "plateaus": list(self.plateaus.items()),
            "ended": self.ended,
            "patience": list(self.patience.items()),
        }
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            tensors = {name: value.contiguous() for name, value in self.state.items()}
            try:
                save_file(tensors, temporary, {"format": FORMAT, "place": json.dumps(place)})
            except SafetensorError as error:  # of the disk: what is written is as it should be
                raise OSError(str(error)) from error
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            reached("checkpoint.written")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        reached("checkpoint.renamed")

    @classmethod
    def read(cls, path: Path) -> "Checkpoint":
        """Read the checkpoint in a file; raises `DamagedCheckpoint` where it is missing or incomplete."""
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                if metadata.get("format") != FORMAT:
                    raise DamagedCheckpoint(f"{path.name} is of format {metadata.get('format')}, not {FORMAT}")
                place = json.loads(metadata["place"])
                place["plateaus"] = {run: tuple(state) for run, state in place["plateaus"]}
                place["patience"] = {run: Patience(*state) for run, state in place.get("patience", ())}
                state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 no mapping
            return cls(**place, state=state)
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            raise DamagedCheckpoint(f"{path.name} cannot be read: {error}") from None
