"""Buffers what a trainer measures, and stores it in blocks."""

import logging
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from core.classification import ClassSummary
from core.energy import EnergyAccount
from core.experiments.cohorts import packed_bits
from core.experiments.cohorts.checkpoints import CheckpointRef
from core.experiments.cohorts.claims import Claim, LastValues
from core.experiments.cohorts.leases import Ended, Flush, flush
from core.experiments.cohorts.weights import WeightsRef
from core.finite import finite_or_none
from core.metrics import is_diagnostic
from core.results import Outcome
from core.store import metric_blocks

log = logging.getLogger(__name__)


class MetricWriter:
    """Takes measurements from the trainer's thread, and gives them to the thread that stores them.

    Two buffers: what the trainer has recorded since its last `advance`, and what is complete up to that and may be
    stored. A flush never splits what `advance` made complete.
    """

    def __init__(self, held: Claim, account: EnergyAccount) -> None:
        self._held = held
        self._account = account
        self._lock = threading.Lock()
        self._recorded, self._complete = Flush(), Flush()
        self._last_values: dict[int, dict[str, float | None]] = {}
        self._steps: dict[int, int] = {}
        self._correct: dict[int, bytes] = {}
        self._weights: dict[int, dict[str, Any]] = {}
        self._classified: dict[int, bytes] = {}
        self.restart(held.resume_from, held.last_values)

    def restart(self, checkpoint: CheckpointRef | None, last: LastValues) -> None:
        """Go on after a checkpoint, or from the first update, with the last values until then."""
        self._last_values = {lane.run: {**last.get(lane.run, {})} for lane in self._held.lanes}
        self._complete.step = checkpoint.step if checkpoint else 0
        self._steps = dict.fromkeys(self._last_values, self._complete.step)

    def record(self, run: int, metric: str, first: int, values: NDArray[Any]) -> None:
        """Take points `first`, `first + 1`, ... of a series, as `Recorder.record` says."""
        if not len(values) or run in self._held.ended:
            return
        every = self._held.spec.spacing(metric)
        self._recorded.blocks.append(metric_blocks.encode(run, metric, first, values, every))
        if not is_diagnostic(metric):
            self._last_values[run][metric] = finite_or_none(values[-1])
        if metric == "train_loss":
            self._steps[run] = first + len(values)

    def judge(self, run: int, correct: NDArray[np.bool_]) -> None:
        """Take which examples of the judged split a run that ends got right."""
        self._correct[run] = packed_bits.pack(correct)

    def keep(self, run: int, weights: Mapping[str, WeightsRef]) -> None:
        """Take the files of the weights of a run that ends."""
        self._weights[run] = {which: ref._asdict() for which, ref in weights.items()}

    def classify(self, run: int, summary: ClassSummary) -> None:
        """Take the summary of a classifier on the judged split."""
        self._classified[run] = summary.pack()

    def finish(self, run: int, outcome: Outcome) -> None:
        """Take the end of a run."""
        if run not in self._held.ended:
            steps = self._steps[run]
            self._recorded.ended[run] = Ended(
                outcome=outcome,
                steps=steps,
                final=self._last_values[run],
                correct=self._correct.pop(run, None),
                classified=self._classified.pop(run, None),
                weights=self._weights.pop(run, None),
            )
            if outcome == "diverged":
                log.info("diverged", extra=self._held.about(run) | {"update": steps})

    def advance(self, step: int) -> None:
        """Let what was recorded be stored, all in one transaction: every run has come as far as the others."""
        with self._lock:
            self._complete_recorded()
            self._complete.step = step

    def add(self, checkpoint: CheckpointRef) -> None:
        """Have the next flush say that a checkpoint counts, whose points have been recorded before."""
        with self._lock:
            self._complete.checkpoint = checkpoint

    @property
    def waiting(self) -> int:
        """The number of blocks that are not stored yet."""
        return len(self._complete.blocks)

    def take(self) -> Flush:
        """Return what is complete, to be stored or put back."""
        with self._lock:
            taken, self._complete = self._complete, Flush(step=self._complete.step)
        return taken

    def take_all(self) -> Flush:
        """Return all that was recorded, where the trainer has stopped; it stays here too."""
        with self._lock:
            self._complete_recorded()
        return self._complete

    def put_back(self, taken: Flush) -> None:
        """Take back what could not be stored: the same blocks again later, as storing one twice changes nothing."""
        with self._lock:
            self._complete = taken.then(self._complete)

    def price(self, taken: Flush) -> None:
        """Say what the runs have cost until now; before the transaction, as reading the meter takes its time."""
        taken.cost = self._account.cost()

    def store(self, session: Session, taken: Flush, before: CheckpointRef | None) -> None:
        """Store blocks, ends and a checkpoint's row, in a transaction that has renewed the lease."""
        flush(session, self._held, taken, before)

    def stored(self, taken: Flush) -> None:
        """Know that the transaction is committed: what is used from now on is shared by the runs that are left."""
        self._account.leave(len(taken.ended))

    def _complete_recorded(self) -> None:
        taken, self._recorded = self._recorded, Flush()
        self._complete.blocks += taken.blocks
        self._complete.ended |= taken.ended
