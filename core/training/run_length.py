"""How long a run is."""

import math
from typing import NamedTuple, Self

from core.spec import Treatment


class RunLength(NamedTuple):
    """Updates of a run, and of an epoch: the last may be cut short, and is not evaluated then."""

    updates: int
    per_epoch: int

    @classmethod
    def of(cls, treatment: Treatment, examples: int, updates: int | None = None) -> Self:
        """Of a treatment on so many training examples: its epochs, or so many `updates`."""
        per_epoch = math.ceil(examples / treatment.batch_size)
        return cls(updates or per_epoch * treatment.epochs, per_epoch)

    @property
    def epochs(self) -> int:
        """Those begun."""
        return math.ceil(self.updates / self.per_epoch)

    def end(self, epoch: int) -> int:
        """Updates done when an epoch ends, or the run inside it."""
        return min((epoch + 1) * self.per_epoch, self.updates)

    def whole(self, epoch: int) -> bool:
        """Whether an epoch has all its updates."""
        return self.end(epoch) == (epoch + 1) * self.per_epoch
