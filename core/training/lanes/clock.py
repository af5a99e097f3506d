"""The moment of an update: numbers on the CPU, counters in the memory of a GPU, where a captured step reads them."""

from typing import NamedTuple

import torch


class Moment(NamedTuple):
    """One update of a training; each of the three an int, or an int64 tensor, (), on the device."""

    step: int | torch.Tensor
    """The count of updates before it."""
    place: int | torch.Tensor
    """The count of updates before it in its epoch."""
    row: int | torch.Tensor
    """The row of the block of losses that is its own."""

    @property
    def number(self) -> int | torch.Tensor:
        """The update's number, counted from 1; on a device in float64, as the rules of the optimizers take it."""
        return self.step + 1 if isinstance(self.step, int) else (self.step + 1).double()


class Clock:
    """The moment in a GPU's memory. An update advances it there, so that replays need nothing of the host."""

    def __init__(self, device: str) -> None:
        self._counters = torch.zeros(len(Moment._fields), dtype=torch.int64, device=device)
        self._next: tuple[int, ...] = (0, 0, 0)
        self.moment = Moment(*self._counters.unbind())

    def set(self, step: int, place: int, row: int) -> None:
        """Set the moment of the next update; where it follows on the last one nothing is copied."""
        if (step, place, row) != self._next:
            self._counters.copy_(torch.tensor([step, place, row]))
        self._next = (step + 1, place + 1, row + 1)

    def advance(self) -> None:
        """Advance the moment, on the device."""
        self._counters.add_(1)
