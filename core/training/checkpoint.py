"""A cohort at some update, as a file that it can go on from."""

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
    """The file is not a whole checkpoint of this version."""


@dataclass(frozen=True)
class Checkpoint:
    """All that the next update depends on: what is drawn is a function of (seed, step), and needs no keeping."""

    step: int
    """Updates done."""
    epochs: int
    """Epochs evaluated: one less than those trained where the next thing to do is to evaluate."""
    runs: list[int]
    """The lanes of the stacks, in their order."""
    state: Mapping[str, torch.Tensor]
    """As `Program.state` gives it: (lanes, *shape) each."""
    plateaus: Mapping[int, State] = field(default_factory=dict)
    """The states of schedules that answer to a metric, by run."""
    ended: list[int] = field(default_factory=list)
    """The runs among them that have diverged, and leave when their epoch ends."""
    patience: Mapping[int, Patience] = field(default_factory=dict)
    """How long early stopping has waited for a better metric, by run."""

    def write(self, path: Path) -> None:
        """Write aside, force to disk, rename: the path holds a whole checkpoint or none, always. Raises OSError."""
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
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            tensors = {name: value.contiguous() for name, value in self.state.items()}
            try:
                save_file(tensors, aside, {"format": FORMAT, "place": json.dumps(place)})
            except SafetensorError as error:  # of the disk: what is written is as it should be
                raise OSError(str(error)) from error
            with aside.open("rb+") as file:
                os.fsync(file.fileno())
            reached("checkpoint.written")
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        reached("checkpoint.renamed")

    @classmethod
    def read(cls, path: Path) -> "Checkpoint":
        """The checkpoint in a file; raises `DamagedCheckpoint` where there is none that is whole."""
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
