"""Data sets: read from local files only, split once, the same for every arm and seed."""

from core.datasets._splits import DataError, Dataset, Facts, Sources, Splits, Task, split
from core.registry import Registry

datasets = Registry("dataset", __name__)
DatasetEntry = datasets.field()

__all__ = ["DataError", "Dataset", "DatasetEntry", "Facts", "Sources", "Splits", "Task", "datasets", "split"]
