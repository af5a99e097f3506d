"""The buffer of a cohort's measurements, which stay on the device until a block is due."""

import time
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from core.classification import ClassSummary
from core.results import Outcome
from core.training.recorder import Lane, Recorder

CAPACITY = 4096
"""Most updates in one block."""
BRISK, LEISURELY = 33, 10
"""Lanes up to which blocks come at the pace asked for; beyond, they come so many times more seldom, at most ten: what a
block costs grows with its series, and storing should take no more than a hundredth of the time."""


class JudgedRun(NamedTuple):
    """A run that ends: its metrics on the test split, which examples of the judged split it got right, and their
    summary by class; None where that is not asked for."""

    metrics: Mapping[str, float]
    correct: NDArray[np.bool_] | None = None
    classified: ClassSummary | None = None


Judged = Mapping[int, JudgedRun]
"""The results of runs that end, by run."""
NOT_JUDGED: Judged = MappingProxyType({})
SERIES = 5
"""Series of a lane without diagnostics; this many more series count as one more lane."""


class _Block(NamedTuple):
    """Measurements on their way from the device."""

    runs: list[int]
    losses: torch.Tensor
    """(updates, lanes) on the host."""
    rates: NDArray[np.float64]
    epochs: torch.Tensor | None
    """(epochs, metrics, lanes) on the host."""
    diagnoses: torch.Tensor | None
    """(updates that were looked at, metrics, lanes) on the host."""
    arrived: "torch.cuda.Event | None"
    """The event after which the copy is complete; None: it already is."""


class MetricBuffer:
    """Collects losses by update and metrics by epoch, and hands them to the recorder by the block.

    A lane whose loss is not finite has diverged: its step series end with that update, its epoch series with the last
    epoch completed before it. From a GPU a block is copied while training goes on, and handed over when it has arrived.
    """

    def __init__(
        self,
        lanes: Sequence[Lane],
        recorder: Recorder,
        *,
        metrics: Sequence[str],
        steps_per_epoch: int,
        block: torch.Tensor,
        seconds: float,
        step: int = 0,
        epochs: int = 0,
        ended: Collection[int] = (),
        every: int = 0,
    ) -> None:
        """Begin after the `step` updates and `epochs` epochs recorded before; the runs in `ended` ended then.

        `metrics` names an epoch's; `block`, (updates, lanes), is the memory where losses are written, on the device;
        `every` is the number of updates from one diagnosis to the next.
        """
        self._metrics = metrics
        self._runs = [lane.run for lane in lanes]
        self._recorder = recorder
        self._steps_per_epoch = steps_per_epoch
        self.block = block
        """The memory of the losses, (updates, lanes), on the device; row `row` is the next update's."""
        self._rates = np.empty(block.shape)
        self._epochs: list[torch.Tensor] = []
        self._every = every or 1
        self._diagnostics: Sequence[str] = ()
        self._diagnoses: list[torch.Tensor] = []
        self._count = 0
        self._first, self._first_epoch = step, epochs
        """The first update and the first epoch that are not yet handed over."""
        self._seconds = seconds
        self._due_at = 0.0  # the first update is shown at once
        self._training = set(self._runs).difference(ended)
        self._coming: _Block | None = None

    @property
    def training(self) -> set[int]:
        """The runs not yet known to have ended."""
        return self._training

    @property
    def row(self) -> int:
        """The row of the block that the next update's losses go to."""
        return self._count

    def step(self, rates: NDArray[np.float64]) -> None:
        """Count one update, whose losses are in the block, and add its learning rates, (lanes,)."""
        self._rates[self._count] = rates
        self._count += 1

    def epoch(self, metrics: torch.Tensor) -> None:
        """Add one epoch's metrics, (metrics, lanes) in the order of their names."""
        self._epochs.append(metrics)

    def diagnosed(self, metrics: Sequence[str], values: torch.Tensor) -> None:
        """Add the diagnostics of the update that comes next: (metrics, lanes), the same metrics every time."""
        self._diagnostics = metrics
        self._diagnoses.append(values)

    def poll(self) -> None:
        """Start copying a block when it is due, and hand over what has arrived; waits for nothing."""
        if self._coming is not None and self._coming.arrived is not None and self._coming.arrived.query():
            self._deliver()
        if self._count and (self._count == len(self.block) or time.monotonic() >= self._due_at):
            self._send()
            if self._coming is not None and self._coming.arrived is None:
                self._deliver()

    def flush(self) -> None:
        """Hand over all measurements, waiting for the device."""
        self._send()
        self._deliver()

    def finite(self) -> list[bool]:
        """Return for each lane whether its losses not yet handed over are all finite; waits for the device."""
        if self._coming is not None:
            self._deliver()
        found: list[bool] = torch.isfinite(self.block[: self._count]).all(0).tolist()
        return found

    def keep(self, lanes: Sequence[Lane], block: torch.Tensor) -> None:
        """Continue with these lanes only, in this order, in another block, after handing over all measurements."""
        self.flush()
        self._runs = [lane.run for lane in lanes]
        self.block = block
        self._rates = np.empty(self.block.shape)

    def end(self, runs: Collection[int], outcome: Outcome, judged: Judged = NOT_JUDGED) -> None:
        """Hand over all measurements, and end those of these runs that still train.

        What was `judged` of them on the test split goes with their last epoch, in one step of the recorder.
        """
        self._send()
        self._deliver([run for run in self._runs if run in runs], outcome, judged)

    def finish(self, judged: Judged = NOT_JUDGED) -> None:
        """Hand over the rest, and end every lane that still trains as completed."""
        self.end(self._runs, "completed", judged)

    def _send(self) -> None:
        """Start copying the measurements to the host."""
        self._deliver()
        losses = self.block[: self._count]
        epochs, diagnoses = (torch.stack(found) if found else None for found in (self._epochs, self._diagnoses))
        arrived = None
        if losses.is_cuda:
            arrived = torch.cuda.Event()
            losses = _to_host(losses)
            epochs, diagnoses = (None if found is None else _to_host(found) for found in (epochs, diagnoses))
            arrived.record()
        self._coming = _Block(self._runs, losses, self._rates[: self._count], epochs, diagnoses, arrived)
        if arrived is not None:  # the next updates' rates are written meanwhile
            self._rates = np.empty(self.block.shape)
        self._count, self._epochs, self._diagnoses = 0, [], []
        lanes = len(self._runs) * (1 + len(self._diagnostics) / SERIES)
        self._due_at = time.monotonic() + self._seconds * min(max(1.0, lanes / BRISK), LEISURELY)

    def _deliver(
        self, leaving: Collection[int] = (), outcome: Outcome = "completed", judged: Judged = NOT_JUDGED
    ) -> None:
        """Hand over the block being copied; the runs that leave end with it."""
        if self._coming is None:
            return
        block, self._coming = self._coming, None
        if block.arrived is not None:
            block.arrived.synchronize()
        if len(block.losses) or block.epochs is not None:
            self._record(block)
        self._first += len(block.losses)
        self._first_epoch += 0 if block.epochs is None else len(block.epochs)
        for run in leaving:
            if run in self._training:
                if run in judged:
                    self._record_end(run, judged[run])
                self._recorder.finish(run, outcome)
                self._training.discard(run)
        self._recorder.advance(self._first)

    def _record_end(self, run: int, judged: JudgedRun) -> None:
        for metric, value in judged.metrics.items():
            self._recorder.record(run, metric, self._first_epoch - 1, np.array([value]))
        if judged.correct is not None:
            self._recorder.judge(run, judged.correct)
        if judged.classified is not None:
            self._recorder.classify(run, judged.classified)

    def _record(self, block: _Block) -> None:
        losses, rates = block.losses.T.numpy().copy(), block.rates.T.copy()
        epochs = None if block.epochs is None else block.epochs.permute(2, 1, 0).numpy()
        diagnoses = None if block.diagnoses is None else block.diagnoses.permute(2, 1, 0).numpy()
        for lane, run in enumerate(block.runs):
            if run not in self._training:
                continue
            finite = np.isfinite(losses[lane])
            diverged = not finite.all()
            end = int(finite.argmin()) + 1 if diverged else len(finite)
            if end:
                self._recorder.record(run, "train_loss", self._first, losses[lane, :end])
                self._recorder.record(run, "lr", self._first, rates[lane, :end])
            completed = (self._first + end - diverged) // self._steps_per_epoch - self._first_epoch
            if epochs is not None and completed > 0:
                for metric, values in zip(self._metrics, epochs[lane, :, :completed], strict=True):
                    self._recorder.record(run, metric, self._first_epoch, values)
            if diagnoses is not None:
                self._record_diagnoses(run, diagnoses[lane], self._first + end)
            if diverged:
                self._recorder.finish(run, "diverged")
                self._training.discard(run)

    def _record_diagnoses(self, run: int, found: NDArray[np.floating], end: int) -> None:
        """Record those diagnostics, (metrics, measured updates), that were made before update `end`."""
        first = -(-self._first // self._every)
        made = -(-end // self._every) - first
        if made > 0:
            for metric, values in zip(self._diagnostics, found[:, :made], strict=True):
                self._recorder.record(run, metric, first, values)


def _to_host(values: torch.Tensor) -> torch.Tensor:
    """Start an asynchronous copy to the host; it is complete once an event recorded after it has occurred."""
    there = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    return there.copy_(values, non_blocking=True)
