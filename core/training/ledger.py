"""What a cohort has measured and not yet handed over: it stays on the device until a block is due."""

import time
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from core.training.recorder import Lane, Recorder

CAPACITY = 4096
"""Most updates in one block."""


class Ledger:
    """Collects losses by update and metrics by epoch, and hands them to the recorder by the block.

    A lane whose loss is not finite has diverged: its step series end with that update, its epoch series with the last
    epoch completed before it.
    """

    def __init__(
        self,
        lanes: Sequence[Lane],
        recorder: Recorder,
        metrics: Sequence[str],
        steps_per_epoch: int,
        losses: torch.Tensor,
        seconds: float,
    ) -> None:
        """`metrics` names an epoch's; `losses`, (updates, lanes), is the memory for one block's, on the device."""
        self._metrics = metrics
        self._runs = [lane.run for lane in lanes]
        self._recorder = recorder
        self._steps_per_epoch = steps_per_epoch
        self._losses = losses
        self._rates = np.empty(losses.shape)
        self._epochs: list[torch.Tensor] = []
        self._first = self._count = self._first_epoch = 0
        self._seconds = seconds
        self._due_at = 0.0  # the first update is shown at once
        self._training = dict(enumerate(self._runs))

    @property
    def training(self) -> bool:
        """Whether any lane is known to train still."""
        return bool(self._training)

    @property
    def due(self) -> bool:
        return self._count > 0 and (self._count == len(self._losses) or time.monotonic() >= self._due_at)

    def step(self, losses: torch.Tensor, rates: NDArray[np.float64]) -> None:
        """One update's losses and learning rates, (lanes,) each."""
        self._losses[self._count] = losses
        self._rates[self._count] = rates
        self._count += 1

    def epoch(self, metrics: torch.Tensor) -> None:
        """One epoch's metrics, (metrics, lanes) in the order of their names."""
        self._epochs.append(metrics)

    def flush(self) -> None:
        """Hand over all that was measured."""
        if self._count:
            self._record()
        self._first += self._count
        self._first_epoch += len(self._epochs)
        self._count, self._epochs = 0, []
        self._recorder.advance(self._first)
        self._due_at = time.monotonic() + self._seconds

    def _record(self) -> None:
        losses = self._losses[: self._count].T.cpu().numpy().copy()
        rates = self._rates[: self._count].T.copy()
        epochs = torch.stack(self._epochs, 2).cpu().numpy() if self._epochs else None
        for lane, run in list(self._training.items()):
            finite = np.isfinite(losses[lane])
            diverged = not finite.all()
            end = int(finite.argmin()) + 1 if diverged else self._count
            self._recorder.record(run, "train_loss", self._first, losses[lane, :end])
            self._recorder.record(run, "lr", self._first, rates[lane, :end])
            completed = (self._first + end - diverged) // self._steps_per_epoch - self._first_epoch
            if epochs is not None and completed > 0:
                for metric, values in zip(self._metrics, epochs[:, lane, :completed], strict=True):
                    self._recorder.record(run, metric, self._first_epoch, values)
            if diverged:
                self._recorder.finish(run, "diverged")
                del self._training[lane]

    def finish(self) -> None:
        """Hand over the rest: every lane that still trains has completed."""
        self.flush()
        for run in self._training.values():
            self._recorder.finish(run, "completed")
