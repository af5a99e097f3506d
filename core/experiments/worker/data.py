"""The data that a worker's cohorts train on, read once for all cohorts of an experiment."""

from functools import lru_cache

from core.datasets import Dataset, DatasetInfo, DatasetPaths
from core.registry import Entry
from core.spec import Spec
from core.training import TrainingData, load_data


def cohort_data(spec: Spec, dataset: Entry, paths: DatasetPaths) -> tuple[TrainingData, DatasetInfo]:
    """Return a data set as the spec splits it, and its sizes. Raises `DataError`."""
    return _loaded(dataset, paths, tuple(spec.split_seeds) if spec.split == "per_seed" else None)


@lru_cache(maxsize=2)
def _loaded(entry: Entry, paths: DatasetPaths, seeds: tuple[int, ...] | None) -> tuple[TrainingData, DatasetInfo]:
    """Return the data set, with a split for each of the seeds, where splits vary."""
    dataset: Dataset = entry.build()
    return load_data(entry, seeds or (), paths, per_seed=seeds is not None), dataset.info(paths)
