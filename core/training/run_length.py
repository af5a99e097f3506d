"""The length of a run."""

import math
from typing import NamedTuple, Self

from core.spec import Treatment


class RunLength(NamedTuple):
    """Updates of a run, and of an epoch: the last may be cut short, and is not evaluated then."""

    updates: int
    per_epoch: int

    @classmethod
    def of(cls, treatment: Treatment, examples: int, updates: int | None = None) -> Self:
        """Return a treatment's length on so many training examples: its epochs, or `updates` updates."""
        per_epoch = treatment.updates_per_epoch(examples)
        return cls(updates or per_epoch * treatment.epochs, per_epoch)

    @property
    def epochs(self) -> int:
        """Number of epochs, an incomplete last one included."""
        return math.ceil(self.updates / self.per_epoch)

    def end(self, epoch: int) -> int:
        """Return the number of updates done when an epoch ends, or the run inside it."""
        return min((epoch + 1) * self.per_epoch, self.updates)

    def whole(self, epoch: int) -> bool:
        """Return whether an epoch has all its updates."""
        return self.end(epoch) == (epoch + 1) * self.per_epoch
