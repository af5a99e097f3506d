"""Splits that vary: another for each seed, the same for all runs of a seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from core.datasets._splits import Counts, Dataset, DatasetPaths, Splits
from core.registry import Entry
from core.streams import generator


@dataclass(frozen=True)
class Rows:
    """The examples of one seed's splits, as indices of a pool."""

    train: torch.Tensor
    valid: torch.Tensor
    test: torch.Tensor


@dataclass(frozen=True)
class SeedSplits:
    """A pool of examples, and which of them each seed has in which split: as many in every seed."""

    x: torch.Tensor
    y: torch.Tensor
    rows: Mapping[int, Rows]

    def of(self, seed: int) -> Splits:
        """Return one seed's splits."""
        mine = self.rows[seed]
        return Splits(*(values[part] for part in (mine.train, mine.valid, mine.test) for values in (self.x, self.y)))

    @property
    def counts(self) -> Counts:
        """The examples of each split of a seed."""
        any_of = next(iter(self.rows.values()))
        return Counts(len(any_of.train), len(any_of.valid), len(any_of.test))


def split_seed_of(split_seed: int, seed: int) -> int:
    """Return the `split_seed` of a run's seed: that of a data set whose fixed split is this seed's."""
    return int(torch.randint(2**31, (), generator=generator(split_seed, "split of", seed)))


def of_seed(entry: Entry, seed: int) -> Dataset:
    """Return the data set with the split of a run's seed."""
    dataset: Dataset = entry.model_copy(
        update={"split_seed": split_seed_of(entry.parameters()["split_seed"], seed)}
    ).build()
    return dataset


def load_per_seed(entry: Entry, seeds: Sequence[int], paths: DatasetPaths) -> SeedSplits:
    """Load a data set with a split for each seed.

    Examples that are the same in every split, as pictures are, are in memory once; those that are standardised by the
    training split once for each seed. Raises `DataError`.
    """
    dataset: Dataset = entry.build()
    whole = dataset.whole(paths)
    if whole is not None:
        x, y, held_out = whole
        every = [held_out._replace(split_seed=split_seed_of(held_out.split_seed, seed)).rows(len(x)) for seed in seeds]
        return SeedSplits(x, y, {seed: Rows(*rows) for seed, rows in zip(seeds, every, strict=True)})
    found = [of_seed(entry, seed).load(paths) for seed in seeds]
    rows: dict[int, Rows] = {}
    first = 0
    for seed, one in zip(seeds, found, strict=True):
        sizes = [len(one.x_train), len(one.x_valid), len(one.x_test)]
        rows[seed] = Rows(*torch.arange(first, first + sum(sizes)).split(sizes))
        first += sum(sizes)
    xs = [x for one in found for x in (one.x_train, one.x_valid, one.x_test)]
    ys = [y for one in found for y in (one.y_train, one.y_valid, one.y_test)]
    return SeedSplits(torch.cat(xs), torch.cat(ys), rows)
