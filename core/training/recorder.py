"""Recorders of a trainer's measurements: the worker's writes to a database, the one here keeps them in memory."""

import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.classification import ClassSummary
from core.design import Varied
from core.metrics import is_of_test
from core.results import Outcome
from core.spec import SourceSeeds, Spec, Treatment


@dataclass(frozen=True)
class Lane:
    """One run to be trained: the caller's key for it, its whole treatment and its seed."""

    run: int
    treatment: Treatment
    seed: int
    repeat: bool = False
    """True: a second training, with every batch turned round (`core.spec.Repeat`)."""
    apart: SourceSeeds | None = None
    """The seeds of the sources of its randomness, where they are not all the run's."""

    @property
    def sources(self) -> SourceSeeds:
        """The seed of each source of its randomness."""
        return self.apart or SourceSeeds(*[self.seed] * len(SourceSeeds._fields))


def lane_of(spec: Spec, run: int, treatment: Treatment, seed: int, again: Varied | None) -> Lane:
    """Return the lane of a run of a spec, or of the second training of it that differs by `again`."""
    apart = None if spec.vary is None else spec.sources(seed, again)
    return Lane(run, treatment, seed, repeat=again == "rounding", apart=apart)


class Recorder(Protocol):
    """Takes measurements without making the trainer wait.

    The points of one series arrive in order, each once. A run's `finish` comes after its last point.
    """

    def record(self, run: int, metric: str, first: int, values: NDArray[Any]) -> None:
        """Record points `first`, `first + 1`, ... of one series: updates for step metrics, epochs for epoch metrics.

        Of diagnostics, `activation_std/fc1`, they are the updates that were looked at, numbered from 0. A metric of the
        test split has one point, at the last epoch, just before `finish`.
        """

    def judge(self, run: int, correct: NDArray[np.bool_]) -> None:
        """Record which examples of the judged split a run got right, (n,), just before its `finish`; if asked for."""

    def classify(self, run: int, summary: ClassSummary) -> None:
        """Record the summary of a classifier on the judged split, just before its `finish`; if asked for."""

    def finish(self, run: int, outcome: Outcome) -> None:
        """Record that the run has ended."""

    def advance(self, step: int) -> None:
        """Note that all lanes still training have done updates 0..step-1, whose points have all been recorded."""


@dataclass
class MemoryRecorder:
    """Keeps every point; `series[run, metric]` is one array."""

    blocks: dict[tuple[int, str], list[NDArray[Any]]] = field(default_factory=lambda: defaultdict(list))
    begins: dict[tuple[int, str], int] = field(default_factory=dict)
    """The place of the first point of the series that do not begin at 0: those of the test split."""
    correct: dict[int, NDArray[np.bool_]] = field(default_factory=dict)
    classified: dict[int, ClassSummary] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    step: int = 0
    began: float | None = field(default_factory=time.monotonic)
    """The time at which this process began the training; None: it began before this process, at an unknown time."""
    seconds: dict[int, float] = field(default_factory=dict)
    """Seconds from the beginning to each run's end."""

    def record(self, run: int, metric: str, first: int, values: NDArray[Any]) -> None:
        if first and not self.blocks[run, metric] and is_of_test(metric):
            self.begins[run, metric] = first
        held = self.begins.get((run, metric), 0) + sum(len(block) for block in self.blocks[run, metric])
        if first != held:
            raise ValueError(f"run {run}: {metric} continues at {first}, but {held} points are there")
        self.blocks[run, metric].append(np.array(values))

    def judge(self, run: int, correct: NDArray[np.bool_]) -> None:
        self.correct[run] = correct

    def classify(self, run: int, summary: ClassSummary) -> None:
        self.classified[run] = summary

    def finish(self, run: int, outcome: Outcome) -> None:
        self.outcomes[run] = outcome
        if self.began is not None:
            self.seconds[run] = time.monotonic() - self.began

    def advance(self, step: int) -> None:
        self.step = step

    @property
    def series(self) -> dict[tuple[int, str], NDArray[Any]]:
        return {key: np.concatenate(blocks) for key, blocks in self.blocks.items()}
