"""Checkpoints that hold all measurements until then, for a training without a database."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from core.classification import ClassSummary
from core.results import OUTCOMES
from core.training.checkpoint import Checkpoint
from core.training.recorder import MemoryRecorder


def recorded_into(recorder: MemoryRecorder, path: Path) -> Callable[[Checkpoint], None]:
    """Return a function that writes checkpoints, with all measurements so far in them."""

    def keep(checkpoint: Checkpoint) -> None:
        points = {f"points/{run}/{metric}": torch.from_numpy(v) for (run, metric), v in recorder.series.items()}
        begins = {f"begins/{run}/{metric}": torch.tensor(at) for (run, metric), at in recorder.begins.items()}
        correct = {f"correct/{run}": torch.from_numpy(right) for run, right in recorder.correct.items()}
        classified = {
            f"classified/{run}": torch.from_numpy(np.frombuffer(summary.pack(), np.uint8).copy())
            for run, summary in recorder.classified.items()
        }
        ended = {
            f"points/{outcome}": torch.tensor([r for r, how in recorder.outcomes.items() if how == outcome]).long()
            for outcome in OUTCOMES
        }
        kept = {**points, **begins, **correct, **classified, **ended}
        replace(checkpoint, state={**checkpoint.state, **kept}).write(path)

    return keep


def restore(recorder: MemoryRecorder, state: Mapping[str, torch.Tensor]) -> None:
    """Restore the measurements in a checkpoint's state; the time they took is unknown."""
    recorder.began = None
    for name, values in state.items():
        if name.startswith("correct/"):
            recorder.correct[int(name.removeprefix("correct/"))] = values.numpy()
        if name.startswith("classified/"):
            packed = values.numpy().tobytes()
            recorder.classified[int(name.removeprefix("classified/"))] = ClassSummary.unpack(packed)
        if name.startswith("begins/"):
            _, run, metric = name.split("/", 2)
            recorder.begins[int(run), metric] = int(values)
        _, _, key = name.partition("points/")
        if key in OUTCOMES:
            recorder.outcomes |= dict.fromkeys(values.long().tolist(), key)
        elif key:
            run, _, metric = key.partition("/")
            recorder.blocks[int(run), metric].append(values.numpy())
