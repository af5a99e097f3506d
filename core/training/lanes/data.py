"""A cohort's examples on its device: splits that all lanes share, or a pool in which every seed has its own."""

from collections.abc import Sequence

import torch

from core.datasets import Counts, DatasetPaths, SeedSplits, Splits, load_per_seed
from core.metrics import Split
from core.registry import Entry

Pair = tuple[torch.Tensor, torch.Tensor]
TrainingData = Splits | SeedSplits
"""The splits of all seeds, or those of each."""


def load_data(dataset: Entry, seeds: Sequence[int], paths: DatasetPaths, *, per_seed: bool) -> TrainingData:
    """Load a data set as these seeds train on it: with one split, or with another for each. Raises `DataError`."""
    if per_seed:
        return load_per_seed(dataset, seeds, paths)
    splits: Splits = dataset.build().load(paths)
    return splits


class LaneData:
    """The examples of each split, numbers in the dtype of training, bytes and classes as they are."""

    def __init__(self, data: TrainingData, device: str, dtype: torch.dtype) -> None:
        def moved(values: torch.Tensor) -> torch.Tensor:
            return values.to(device, dtype if values.is_floating_point() else values.dtype)

        self._pairs: dict[Split, Pair] = {}
        self._rows: dict[int, dict[Split, torch.Tensor]] = {}
        if isinstance(data, SeedSplits):
            pool = moved(data.x), moved(data.y)
            self._pairs = {"train": pool, "valid": pool, "test": pool}
            for seed, rows in data.rows.items():
                own: dict[Split, torch.Tensor] = {"train": rows.train, "valid": rows.valid, "test": rows.test}
                self._rows[seed] = {split: part.to(device) for split, part in own.items()}
            self.counts = data.counts
        else:
            self._pairs["train"] = moved(data.x_train), moved(data.y_train)
            self._pairs["valid"] = moved(data.x_valid), moved(data.y_valid)
            self._pairs["test"] = moved(data.x_test), moved(data.y_test)
            self.counts = Counts(len(data.x_train), len(data.x_valid), len(data.x_test))
        self.device = self._pairs["train"][0].device

    def examples(self, split: Split) -> Pair:
        """Return the inputs and labels that `rows` are of; without rows those of the split."""
        return self._pairs[split]

    def rows(self, split: Split, seeds: Sequence[int]) -> torch.Tensor | None:
        """Return which examples each seed has in a split, (seeds, n); None where all share it."""
        return torch.stack([self._rows[seed][split] for seed in seeds]) if self._rows else None

    def x_train(self, seed: int) -> torch.Tensor:
        """Return the training inputs of a seed."""
        return self._of(seed, self._pairs["train"][0])

    def y_train(self, seed: int) -> torch.Tensor:
        """Return the training labels of a seed."""
        return self._of(seed, self._pairs["train"][1])

    def _of(self, seed: int, values: torch.Tensor) -> torch.Tensor:
        return values.index_select(0, self._rows[seed]["train"]) if self._rows else values
