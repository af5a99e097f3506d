"""Packing of folders and pairs of files, which go to a server as one ZIP archive."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

_PACKED = frozenset({".csv", ".tsv", ".jsonl", ".ndjson"})
"""Endings of texts, which packing makes smaller."""


@contextmanager
def opened(path: Path, valid: Path | None) -> Iterator[tuple[BinaryIO, str]]:
    """Give a file and its name: the file itself, or an archive of a folder, or of two files or folders as parts."""
    if valid is None and not path.is_dir():
        with path.open("rb") as file:
            yield file, path.name
        return
    if valid is None:
        whole = _files(path, "")
    elif path.is_dir() != valid.is_dir():
        raise NotADirectoryError(f"{path} and {valid} should be two files or two folders")
    elif path.is_dir():
        whole = _files(path, "train/") | _files(valid, "valid/")
    else:
        whole = {f"train{_suffix(path)}": path, f"valid{_suffix(valid)}": valid}
    with tempfile.TemporaryFile() as file:
        with ZipFile(file, "w") as archive:
            for name, found in whole.items():
                archive.write(found, name, ZIP_DEFLATED if found.suffix.lower() in _PACKED else ZIP_STORED)
        file.seek(0)
        yield file, f"{path.name.split('.')[0] or 'data'}.zip"


def _files(folder: Path, below: str) -> dict[str, Path]:
    """Return the files of a folder by their names in an archive."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {f"{below}{path.relative_to(folder).as_posix()}": path for path in found}


def _suffix(path: Path) -> str:
    return "".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix
