"""Data order: an epoch is a permutation, a function of (seed, epoch) alone."""

from collections.abc import Sequence

import torch

from core.datasets import as_numbers
from core.spec import Augment
from core.streams import generator, keys
from core.training.augment import augment
from core.training.lanes.clock import Moment
from core.training.mixing import Mixing


def epoch_order(examples: int, seed: int, epoch: int) -> torch.Tensor:
    """Return an epoch's order of the training examples: their indices, (examples,)."""
    return torch.randperm(examples, generator=generator(seed, "order", epoch))


class BatchSource:
    """Gathers the seeds' batches from a training split that lies in the device's memory, pictures as bytes.

    The last batch of an epoch may be smaller.
    """

    def __init__(
        self,
        x: torch.Tensor,
        y: torch.Tensor,
        seeds: Sequence[int],
        batch_size: int,
        dtype: torch.dtype = torch.float32,
        how: Augment | None = None,
        mixing: Mixing | None = None,
        rows: torch.Tensor | None = None,
    ) -> None:
        """Take examples that all seeds train on; with `rows` (seeds, n) those of which each seed has its own."""
        self._x, self._y = x, y
        self._rows = rows
        self._examples = len(x) if rows is None else rows.shape[1]
        self._batch_size = batch_size
        self._seeds = seeds
        self._dtype = dtype
        self._augment = how
        self._mixing = mixing
        self._keys = keys(seeds, "augment", device=x.device)
        self._order = torch.zeros(len(seeds), self._examples, dtype=torch.int64, device=x.device)

    def start(self, epoch: int) -> None:
        """Shuffle the examples for an epoch."""
        order = torch.stack([epoch_order(self._examples, seed, epoch) for seed in self._seeds])
        self._order.copy_(order)
        if self._rows is not None:
            self._order.copy_(self._rows.gather(1, self._order))
        if self._mixing is not None:
            self._mixing.start(epoch)

    def size(self, i: int) -> int:
        """Return the count of examples in batch i of an epoch."""
        return min(self._batch_size, self._examples - i * self._batch_size)

    def batch(self, moment: Moment, size: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return a moment's batch of `size` examples: x (seeds, batch, *shape), y (seeds, batch, ...)."""
        if isinstance(moment.place, int):
            first = moment.place * self._batch_size
            mine = self._order[:, first : first + size]
        else:
            places = torch.arange(size, device=self._x.device) + moment.place * self._batch_size
            mine = self._order.index_select(1, places)
        flat = mine.flatten()
        x, y = (whole.index_select(0, flat).view(*mine.shape, *whole.shape[1:]) for whole in (self._x, self._y))
        if self._augment:
            x = augment(x, self._augment, self._keys, moment.step)
        x = as_numbers(x, self._dtype)
        return (x, y) if self._mixing is None else self._mixing(x, y, moment.place)
