"""ZIP archives from untrusted users, checked before anything in them is unpacked."""

import os
import stat
import struct
import zlib
from pathlib import PurePosixPath
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from core.datasets._content import MOST_DECODED, InvalidUpload
from core.datasets._magic import START, is_text, kind_of
from core.letters import unfit_letter

MOST_ENTRIES = 500_000
MOST_RATIO = 1_000
"""Largest allowed compression ratio. Deflate's own limit is 1,032: an entry near it repeats one byte."""
MOST_TIMES, FREE = 100, 2**28
"""A file may unpack to so many times its size, or to so many bytes: memory is bounded by what was sent."""
_SMALL = 2**20
"""Bytes up to which an entry may have any compression ratio."""
_DIRECTORY_ENTRY = b"PK\x01\x02"
_METHODS = {0: "stored", 8: "deflate"}
BROKEN = (
    *(BadZipFile, EOFError, OSError, ValueError, NotImplementedError, RuntimeError),
    *(zlib.error, struct.error, KeyError, IndexError, OverflowError),
)
"""The exceptions that `zipfile` raises for a damaged archive."""


def open_archive(file: BinaryIO) -> ZipFile:
    """Open an archive and check all its names and sizes; raises `InvalidUpload` with the file inside at fault.

    `zipfile` unpacks no more of an entry than its declared size, so that bounding what is declared bounds what is made.
    """
    if _entries(file) > MOST_ENTRIES:
        raise InvalidUpload(f"the archive has more than {MOST_ENTRIES:,} files")
    try:
        archive = ZipFile(file)
    except BROKEN:
        raise InvalidUpload(f"cannot be read as a ZIP archive{_hint(file)}") from None
    size = 0
    seen: set[str] = set()
    for entry in archive.infolist():
        _acceptable(entry)
        if entry.filename in seen:
            raise InvalidUpload(f"{shown(entry)} is in the archive twice")
        seen.add(entry.filename)
        size += entry.file_size
    if size > MOST_DECODED:
        raise InvalidUpload(f"the archive holds {size:,} bytes unpacked; {MOST_DECODED:,} is the most")
    packed = file.seek(0, os.SEEK_END)
    if size > max(FREE, MOST_TIMES * packed):
        raise InvalidUpload(f"the archive holds {size:,} bytes unpacked, more than {MOST_TIMES} times its size")
    return archive


def unpack(archive: ZipFile, entry: ZipInfo) -> bytes:
    """Return an entry's bytes; raises `InvalidUpload` where it is damaged."""
    try:
        return archive.read(entry)
    except BROKEN as error:
        raise InvalidUpload(f"{shown(entry)} cannot be unpacked: {error}") from None


def shown(entry: ZipInfo) -> str:
    """Return an entry's name as error messages quote it."""
    return repr(entry.filename[-120:])


def _hint(file: BinaryIO) -> str:
    """Return what a file is that is no archive, and how to name it."""
    file.seek(0)
    start = file.read(START)
    what = kind_of(start) or ("text: name a table .csv, .tsv or .jsonl" if is_text(start) else None)
    return (
        f", as .zip, .npz and .xlsx are: by its first bytes it is {what}" if what else ", as .zip, .npz and .xlsx are"
    )


def _entries(file: BinaryIO) -> int:
    """Return an upper bound on the number of entries, counted before `zipfile` makes an object of each."""
    count, tail = 0, b""
    while chunk := file.read(2**20):
        count += (tail + chunk).count(_DIRECTORY_ENTRY)
        tail = chunk[-3:]
    file.seek(0)
    return count


def _acceptable(entry: ZipInfo) -> None:
    name = entry.orig_filename
    if name.startswith(("/", "\\")) or name[1:2] == ":" or ".." in PurePosixPath(name.replace("\\", "/")).parts:
        raise InvalidUpload(f"{name[:120]!r} points out of the archive")
    if unfit_letter(name):
        raise InvalidUpload(f"{name[:120]!r} is no printable name")
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise InvalidUpload(f"{shown(entry)} is a link or a device, not a file")
    if entry.flag_bits & 1:
        raise InvalidUpload(f"{shown(entry)} is encrypted")
    if entry.compress_type not in _METHODS:
        raise InvalidUpload(f"{shown(entry)} is packed in a way other than {' and '.join(_METHODS.values())}")
    if entry.file_size > max(_SMALL, MOST_RATIO * entry.compress_size):
        raise InvalidUpload(
            f"{shown(entry)} would unpack to {entry.file_size / max(1, entry.compress_size):,.0f} times its size"
        )
