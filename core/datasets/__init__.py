"""Data sets: read from local files only, and split the same for every arm, once or anew for each seed."""

from core.datasets._content import MOST_FILE, About, InvalidUpload, Note
from core.datasets._hash import splits_hash
from core.datasets._look import SECONDS_OF_NUMBER, look
from core.datasets._options import Options
from core.datasets._preview import DatasetPreview, Picture, preview_dataset
from core.datasets._seeds import SeedSplits, load_per_seed, of_seed, split_seed_of
from core.datasets._splits import (
    Counts,
    DataError,
    Dataset,
    DatasetInfo,
    DatasetPaths,
    Splits,
    as_numbers,
    split,
)
from core.datasets._uploads import NotStored, Uploads
from core.registry import Registry

datasets = Registry("dataset", __name__)
DatasetEntry = datasets.field()

__all__ = [
    "MOST_FILE",
    "SECONDS_OF_NUMBER",
    "About",
    "Counts",
    "DataError",
    "Dataset",
    "DatasetEntry",
    "DatasetInfo",
    "DatasetPaths",
    "DatasetPreview",
    "InvalidUpload",
    "NotStored",
    "Note",
    "Options",
    "Picture",
    "SeedSplits",
    "Splits",
    "Uploads",
    "as_numbers",
    "datasets",
    "load_per_seed",
    "look",
    "of_seed",
    "preview_dataset",
    "split",
    "split_seed_of",
    "splits_hash",
]
