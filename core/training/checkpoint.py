"""Checkpoints: files that hold a cohort at some update, to resume from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from core.errors import InitlabError
from core.failpoints import reached
from core.schedules import State
from core.spec import Patience
from core.training.tensor_files import replacing

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
        place = {
            "step": self.step,
            "epochs": self.epochs,
            "runs": self.runs,
            "plateaus": list(self.plateaus.items()),
            "ended": self.ended,
            "patience": list(self.patience.items()),
        }
        with replacing(path, self.state, {"format": FORMAT, "place": json.dumps(place)}):
            reached("checkpoint.written")
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
