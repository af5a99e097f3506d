"""Reads tables by their file's ending, one alone or one to train on and one to validate on."""

import gzip
import os
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast
from zipfile import ZipFile, ZipInfo

from core.datasets._archives import BROKEN, FREE, MOST_TIMES
from core.datasets._content import MOST_FILE, Decoded, InvalidUpload, Remarks
from core.datasets._options import TABLE_OPTIONS, TEXT_OPTIONS, Options
from core.datasets._parts import Part, held_out, part_of
from core.datasets.tables.columnar import read_parquet
from core.datasets.tables.decode import decode
from core.datasets.tables.delimited import read_delimited
from core.datasets.tables.jsonlines import read_json_lines
from core.datasets.tables.raw import RawTable, in_archive, joined
from core.datasets.tables.sheets import read_sheet

Read = Callable[[BinaryIO, Options, Remarks], RawTable]
COMMON = (*TABLE_OPTIONS, "missing_values", "decimal")


def _tabbed(file: BinaryIO, options: Options, remarks: Remarks) -> RawTable:
    return read_delimited(file, options, remarks, tabs=True)


READERS: dict[str, tuple[Read, tuple[str, ...]]] = {
    ".csv": (read_delimited, TEXT_OPTIONS),
    ".tsv": (_tabbed, TEXT_OPTIONS),
    ".jsonl": (read_json_lines, ("encoding",)),
    ".ndjson": (read_json_lines, ("encoding",)),
    ".parquet": (read_parquet, ()),
    ".pq": (read_parquet, ()),
    ".xlsx": (read_sheet, ("header",)),
}
"""By ending: the reader, and the options that only it takes beside those of all tables."""
PACKED = (".csv", ".tsv", ".jsonl", ".ndjson")
SUFFIXES = (*READERS, *(f"{suffix}.gz" for suffix in PACKED))


def suffix_of(name: str) -> str:
    """Return the ending of a file's name, in lower case and with `.gz` where that is added."""
    ends = [suffix.lower() for suffix in PurePosixPath(name).suffixes]
    return "".join(ends[-2:]) if ends[-1:] == [".gz"] else "".join(ends[-1:])


def read_table(file: BinaryIO, suffix: str, options: Options, into: Path, remarks: Remarks) -> Decoded:
    """Read one table. Raises `InvalidUpload`."""
    return decode(_raw(file, suffix, options, remarks), options, into, remarks)


def read_tables(archive: ZipFile, entries: list[ZipInfo], options: Options, into: Path, remarks: Remarks) -> Decoded:
    """Read an archive's only table, or those to train on and to validate on by their names. Raises `InvalidUpload`."""
    if len(entries) == 1:
        remarks.note("file", f"the archive holds one table, {in_archive(entries[0].filename)!r}")
        return decode(_unpacked(archive, entries[0], options, remarks), options, into, remarks)
    parts: dict[Part, ZipInfo] = {}
    for entry in entries:
        name = PurePosixPath(entry.filename).name
        part = part_of(name[: len(name) - len(suffix_of(name))])
        if part is None or part in parts:
            remarks.refuse(
                f"{entry.filename[-120:]!r}: tables in an archive are one, or one train and one test or valid"
            )
        else:
            parts[part] = entry
    chosen = held_out(set(parts))
    if "train" not in parts or chosen is None:
        remarks.refuse("the archive has several tables: they should be called train and test, or train and valid")
    remarks.check()
    named = [parts[part] for part in ("train", cast(Part, chosen))]
    tables = [table for entry in named if (table := _part(archive, entry, options, remarks)) is not None]
    if len(tables) < len(named):
        remarks.check()
    if len(parts) > 2:
        remarks.note("file", f"{in_archive(parts['test'].filename)!r} is not used: validation is on the valid part")
    elif chosen == "test":
        remarks.note("file", f"{in_archive(parts['test'].filename)!r} is what validation is on")
    return decode(joined(tables[0], tables[1], remarks), options, into, remarks)


def _raw(file: BinaryIO, suffix: str, options: Options, remarks: Remarks) -> RawTable:
    read, own = READERS[suffix.removesuffix(".gz")]
    options.only(*COMMON, *own, kind=f"a table in a {suffix} file")
    if not suffix.endswith(".gz"):
        return read(file, options, remarks)
    with tempfile.TemporaryFile() as plain:
        _gunzip(file, plain)
        return read(plain, options, remarks)


def _part(archive: ZipFile, entry: ZipInfo, options: Options, remarks: Remarks) -> RawTable | None:
    """Return one table of several; its problems are gathered with its name, and it is None where it has no rows."""
    own, table = Remarks(), None
    try:
        table = _unpacked(archive, entry, options, own)
    except InvalidUpload as error:
        own.problems += error.problems
    for note in own.notes:
        remarks.note(note.path, note.message)
    for problem in dict.fromkeys(own.problems):
        name = in_archive(entry.filename)
        said = problem.message if name in problem.message else f"{name}: {problem.message}"
        remarks.refuse(said, problem.path, problem.known)
    return table


def _unpacked(archive: ZipFile, entry: ZipInfo, options: Options, remarks: Remarks) -> RawTable:
    with tempfile.TemporaryFile() as plain:
        try:
            with archive.open(entry) as packed:
                while chunk := packed.read(2**20):
                    plain.write(chunk)
        except BROKEN as error:
            raise InvalidUpload(f"{entry.filename[-120:]!r} cannot be unpacked: {error}") from None
        plain.seek(0)
        table = _raw(plain, suffix_of(entry.filename), options, remarks)
    table.file = in_archive(entry.filename)
    return table


def _gunzip(file: BinaryIO, into: BinaryIO) -> None:
    packed_size = file.seek(0, os.SEEK_END)
    file.seek(0)
    size = 0
    try:
        with gzip.GzipFile(fileobj=file) as packed:
            while chunk := packed.read(2**20):
                size += len(chunk)
                if size > min(MOST_FILE, max(FREE, MOST_TIMES * packed_size)):
                    raise InvalidUpload(
                        f"the file is larger than {MOST_FILE:,} bytes once it is unpacked, or than {MOST_TIMES} "
                        "times its size"
                    )
                into.write(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidUpload(f"cannot be unpacked: {error}") from None
    into.seek(0)
