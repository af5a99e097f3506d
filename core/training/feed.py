"""Data order: an epoch is a permutation, a function of (seed, epoch) alone."""

from collections.abc import Sequence

import torch

from core.streams import generator


def epoch_order(examples: int, seed: int, epoch: int) -> torch.Tensor:
    """The training examples' indices in the order of their use, (examples,)."""
    return torch.randperm(examples, generator=generator(seed, "order", epoch))


class Feed:
    """Gathers the lanes' batches from a training split that lies in the device's memory.

    Lane i gets the batches of `seeds[i]`; the last batch of an epoch may be smaller.
    """

    def __init__(self, x: torch.Tensor, y: torch.Tensor, seeds: Sequence[int], batch_size: int) -> None:
        self._x, self._y = x, y
        self._batch_size = batch_size
        self._seeds = list(dict.fromkeys(seeds))
        self._rows = torch.tensor([self._seeds.index(seed) for seed in seeds], device=x.device)
        self._order = torch.empty(0)

    def start(self, epoch: int) -> None:
        """Shuffle for an epoch."""
        orders = torch.stack([epoch_order(len(self._x), seed, epoch) for seed in self._seeds])
        self._order = orders.to(self._x.device)

    def batch(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Batch i of the epoch for every lane: inputs (lanes, batch, *shape), labels or targets (lanes, batch, ...)."""
        mine = self._order[:, i * self._batch_size : (i + 1) * self._batch_size].index_select(0, self._rows)
        flat = mine.flatten()
        x, y = (whole.index_select(0, flat).view(*mine.shape, *whole.shape[1:]) for whole in (self._x, self._y))
        return x, y

    def per_lane(self, by_seed: torch.Tensor) -> torch.Tensor:
        """Spread what belongs to the distinct seeds, (seeds, ...), over the lanes, (lanes, ...)."""
        return by_seed.index_select(0, self._rows)

    @property
    def distinct_seeds(self) -> list[int]:
        """The seeds in the order of their first lane."""
        return self._seeds
