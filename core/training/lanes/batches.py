"""Data order: an epoch is a permutation, a function of (seed, epoch) alone."""

from collections.abc import Sequence

import torch

from core.datasets import as_numbers
from core.spec import Augment
from core.streams import generator, keys
from core.training.augment import augment


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
    ) -> None:
        self._x, self._y = x, y
        self._batch_size = batch_size
        self._seeds = seeds
        self._dtype = dtype
        self._augment = how
        self._keys = keys(seeds, "augment", device=x.device)
        self._order = torch.empty(0)

    def start(self, epoch: int) -> None:
        """Shuffle the examples for an epoch."""
        orders = torch.stack([epoch_order(len(self._x), seed, epoch) for seed in self._seeds])
        self._order = orders.to(self._x.device)

    def batch(self, i: int, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return batch i of the epoch, for update `step`: x (seeds, batch, *shape), y (seeds, batch, ...)."""
        mine = self._order[:, i * self._batch_size : (i + 1) * self._batch_size]
        flat = mine.flatten()
        x, y = (whole.index_select(0, flat).view(*mine.shape, *whole.shape[1:]) for whole in (self._x, self._y))
        if self._augment:
            x = augment(x, self._augment, self._keys, step)
        return as_numbers(x, self._dtype), y
