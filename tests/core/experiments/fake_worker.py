"""A fake worker: it writes to a database as a recorder does, without any training."""

from dataclasses import dataclass

import numpy as np

from core.experiments.cohorts.checkpoints import CheckpointRef
from core.experiments.cohorts.claims import Claim
from core.experiments.cohorts.leases import Ended, Flush, end, fall_back, flush, renew
from core.experiments.cohorts.recovery import recover_attempt
from core.experiments.cohorts.splitting import split_cohort
from core.store import Database, Status

STEPS, EVERY = 60, 10
"""Updates of a run, and of an epoch."""
LOOKS = 4
"""Updates between two diagnoses."""
LAYERS = ("activation_std/fc1", "activation_std/Mixed_5b.branch-1", "weight_norm/fc1")


@dataclass
class Hand:
    """A worker that trains one cohort; its values say who wrote them, so that a stale one is seen."""

    database: Database
    held: Claim
    step: int
    epochs: int
    alive: set[int]
    before: CheckpointRef | None

    @classmethod
    def of(cls, database: Database, held: Claim) -> "Hand":
        step, epochs = (held.resume_from.step, held.resume_from.epochs) if held.resume_from else (0, 0)
        alive = {lane.run for lane in held.lanes} - held.ended
        return cls(database, held, step, epochs, alive, held.resume_from)

    def measure(self, steps: int, *, diverged: int | None = None) -> Flush:
        """The next updates of all runs, with the epochs that end on the way and the diagnoses that are due; a run may
        end in the last of them."""
        last = min(STEPS, self.step + steps)
        what = Flush(step=last)
        epochs = range(self.epochs, last // EVERY)
        looks = range(-(-self.step // LOOKS), -(-last // LOOKS))
        for run in sorted(self.alive):
            for metric, first, n, every in (
                ("train_loss", self.step, last - self.step, 1),
                ("lr", self.step, last - self.step, 1),
                ("valid_loss", epochs.start, len(epochs), 1),
                *((metric, looks.start * LOOKS, len(looks), LOOKS) for metric in LAYERS),
            ):
                values = run + np.arange(first, first + n) / 1e3 + self.held.attempt * 1e3
                if run == diverged and metric == "train_loss":
                    values[-1:] = np.nan
                packed = values.astype("<f8").tobytes()
                if n:
                    place = {"run_id": run, "metric": metric, "first": first, "n": n, "every": every}
                    what.blocks.append(place | {"values": packed})
        if diverged is not None:
            what.ended[diverged] = Ended(outcome="diverged", steps=last, final={})
            self.alive.remove(diverged)
        self.step, self.epochs = last, epochs.stop
        return what

    def store(self, what: Flush, *, keep: bool = False) -> None:
        if keep:
            what.checkpoint = CheckpointRef(
                name=f"{self.held.cohort_id}-{self.held.attempt}-{self.step}",
                sha256="0",
                step=self.step,
                epochs=self.epochs,
            )
        with self.database.transaction() as session:
            renew(session, self.held, 30)
            flush(session, self.held, what, self.before)
        self.before = what.checkpoint or self.before

    def train(self, steps: int, *, diverged: int | None = None, keep: bool = False) -> None:
        self.store(self.measure(steps, diverged=diverged), keep=keep)

    def finish(self, status: str, error: str | None = None) -> None:
        with self.database.transaction() as session:
            end(session, self.held, Status(status), error=error)

    def mark_lost(self) -> None:
        with self.database.transaction() as session:
            recover_attempt(session, self.held.cohort_id, self.held.attempt, "killed")

    def split_cohort(self) -> None:
        with self.database.transaction() as session:
            renew(session, self.held, 30)
            split_cohort(session, self.held, "no memory")

    def fall_back(self) -> None:
        with self.database.transaction() as session:
            kept = fall_back(session, self.held, "damaged")[0]
        self.step, self.epochs = (kept.step, kept.epochs) if kept else (0, 0)
        self.before = kept
