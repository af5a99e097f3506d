"""Data sets: read from local files only, split once, the same for every arm and seed."""

from core.datasets._content import MOST_FILE, About, InvalidUpload, Note
from core.datasets._options import Options
from core.datasets._preview import DatasetPreview, preview_dataset
from core.datasets._splits import (
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
    "About",
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
    "Splits",
    "Uploads",
    "as_numbers",
    "datasets",
    "preview_dataset",
    "split",
]
