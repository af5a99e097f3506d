"""Grouping of lanes by seed: lanes of one seed share splits, batches and dropout draws."""

from collections import Counter
from collections.abc import Sequence

import torch

from core.training.recorder import Lane

COPIED = 2**16
"""Numbers of all lanes' batches below which each lane is given its own copy: vmap's own cost is some 0.3 ms a level."""
NARROW = 16
"""Numbers of an example below which each lane always is: a CPU rounds one product for all arms unlike a lane's own."""


class Grid:
    """The lanes of a cohort by seed and run: their places may decide how they round.

    Where every seed has as many lanes, the lanes are `groups` x `arms`: what belongs to a seed is given once to each
    group. Elsewhere, where batches are so small that copies cost less than the second vmap, and where examples are
    narrow, every lane is a group of its own.
    """

    def __init__(self, lanes: Sequence[Lane], device: str, inputs: int) -> None:
        """Group the lanes; `inputs` is the count of numbers of one example."""
        self.lanes = sorted(lanes, key=lambda lane: (lane.seed, lane.run))  # in whatever order they were asked for
        self.seeds = list(dict.fromkeys(lane.seed for lane in self.lanes))
        by_seed = {lane.seed: lane.sources for lane in self.lanes}
        self.sources = [by_seed[seed] for seed in self.seeds]
        """The seeds of what the lanes of each seed share; initial weights are each lane's own."""
        counts = set(Counter(lane.seed for lane in lanes).values())
        small = inputs < NARROW or len(lanes) * lanes[0].treatment.batch_size * inputs < COPIED
        self.arms = counts.pop() if len(counts) == 1 and not small else 1
        self.groups = len(lanes) // self.arms
        self._rows = torch.tensor([self.seeds.index(lane.seed) for lane in self.lanes], device=device)

    def per_group(self, by_seed: torch.Tensor) -> torch.Tensor:
        """Map values of the seeds, (seeds, ...), to values of the groups, (groups, ...)."""
        return by_seed if self.groups == len(self.seeds) else by_seed.index_select(0, self._rows)

    def per_lane(self, by_seed: torch.Tensor) -> torch.Tensor:
        """Map values of the seeds, (seeds, ...), to values of the lanes, (lanes, ...)."""
        return by_seed if len(self.lanes) == len(self.seeds) else by_seed.index_select(0, self._rows)
