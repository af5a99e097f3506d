"""Reads a file by the ending of its name."""

from pathlib import Path
from typing import BinaryIO
from zipfile import ZipFile

import pyarrow as pa

from core.datasets._archives import open_archive
from core.datasets._content import Decoded, InvalidUpload, Remarks
from core.datasets._options import Options
from core.datasets.arrays import read_arrays
from core.datasets.images import read_images
from core.datasets.images.folders import SUFFIXES as PICTURES
from core.datasets.images.folders import visible
from core.datasets.tables import SUFFIXES as TABLES
from core.datasets.tables import read_table, read_tables
from core.datasets.tables.reader import suffix_of

_ADVICE = {
    ".xls": "save it as .xlsx or .csv",
    ".ods": "save it as .xlsx or .csv",
    ".json": "write one object a line, as .jsonl",
    ".npy": "write x and y with numpy.savez, as .npz",
    ".tar": "pack the folder as .zip",
    ".tar.gz": "pack the folder as .zip",
    ".tgz": "pack the folder as .zip",
    ".rar": "pack the folder as .zip",
    ".7z": "pack the folder as .zip",
    ".feather": "write it as .parquet",
    ".arrow": "write it as .parquet",
    ".pkl": "a pickle may run code: write a table as .parquet, arrays as .npz",
    ".mat": "write its arrays with numpy.savez, as .npz",
    ".txt": "name a table .csv or .tsv",
    ".data": "name a table .csv",
}


def read(file: BinaryIO, filename: str, options: Options, into: Path) -> Decoded:
    """Read a data set; what is large of it is written into the folder. Raises `InvalidUpload` with all problems."""
    suffix = suffix_of(Path(filename).name)
    remarks = Remarks()
    try:
        with remarks.gathered():
            if suffix in TABLES:
                return read_table(file, suffix, options, into, remarks)
            if suffix == ".npz":
                return read_arrays(file, options, into, remarks)
            if suffix == ".zip":
                with open_archive(file) as archive:
                    return _read_archive(archive, options, into, remarks)
            hint = f" ({_ADVICE[suffix]})" if suffix in _ADVICE else ""
            raise InvalidUpload(
                f"the file's name ends in {suffix!r}{hint}; data sets are {', '.join(TABLES)}, .npz, and .zip "
                "of images or tables"
            )
        remarks.check()
        raise AssertionError  # a problem was gathered
    finally:
        pa.default_memory_pool().release_unused()


def _read_archive(archive: ZipFile, options: Options, into: Path, remarks: Remarks) -> Decoded:
    """Read an archive: of tables where it holds tables and no picture, else of images."""
    files = [(entry, parts[-1].lower()) for entry, parts in visible(archive).items() if not entry.is_dir()]
    tables = [entry for entry, name in files if suffix_of(name) in TABLES]
    if tables and not any(Path(name).suffix in PICTURES for _, name in files):
        return read_tables(archive, tables, options, into, remarks)
    return read_images(archive, options, into, remarks)
