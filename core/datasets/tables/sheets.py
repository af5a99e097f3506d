"""Spreadsheets (.xlsx): the first sheet's cells."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.parsers import expat
from zipfile import ZipFile

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from core.datasets._archives import BROKEN, open_archive
from core.datasets._content import InvalidUpload, Remarks
from core.datasets._options import Options
from core.datasets.tables.raw import RawTable
from core.datasets.tables.rows import table_of
from core.datasets.tables.texts import number_text

MOST_UNPACKED = 2**27
"""Most bytes of a workbook's parts once they are unpacked."""
MOST_CELLS = 10_000_000
"""Most cells of the rectangle that a sheet's cells lie in: the reader has them all in memory, empty ones too."""
_UNREADABLE = (CalamineError, OSError, ValueError, IndexError)


def read_sheet(file: BinaryIO, options: Options, remarks: Remarks) -> RawTable:
    """Read the first sheet; rows are the sheet's own, and values those last computed. Raises `InvalidUpload`."""
    with open_archive(file) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
        if size > MOST_UNPACKED:
            raise InvalidUpload(
                f"the workbook has {size:,} bytes unpacked; {MOST_UNPACKED:,} is the most: save it as CSV"
            )
        errors = _check_corners(archive)
    if errors:
        remarks.note(
            "file", f"{errors:,} cells of the workbook hold errors, such as #DIV/0! or #N/A: they are empty here"
        )
    file.seek(0)
    try:
        book = CalamineWorkbook.from_filelike(file)
        sheet = book.get_sheet_by_index(0)
    except _UNREADABLE as error:
        raise InvalidUpload(f"cannot be read as a spreadsheet: {str(error)[:200]}") from None
    if len(book.sheet_names) > 1:
        said = ", ".join(repr(name[:40]) for name in book.sheet_names[:5])
        remarks.note("file", f"the workbook has {len(book.sheet_names)} sheets, {said}: the first is read")
    return table_of(_rows(sheet), options, remarks)


def _check_corners(archive: ZipFile) -> int:
    """Refuse a sheet with a cell so far out that the rectangle up to it is too large; return the cells with errors."""
    errors = 0
    for entry in archive.infolist():
        if not entry.filename.lower().endswith((".xml", ".rels")):
            continue
        corner = _Corner()
        try:
            with archive.open(entry) as part:
                corner.parser.ParseFile(part)
        except (expat.ExpatError, *BROKEN) as error:
            raise InvalidUpload(f"{entry.filename[-120:]!r} cannot be read as a spreadsheet: {error}") from None
        if corner.row * corner.column > MOST_CELLS:
            raise InvalidUpload(
                f"the sheet reaches to row {corner.row:,} and column {corner.column:,}; {MOST_CELLS:,} cells are the "
                "most: save it as CSV"
            )
        errors += corner.errors
    return errors


class _Corner:
    """The row and the column that the cells of a sheet reach to, and how many cells hold an error."""

    def __init__(self) -> None:
        self.row, self.column, self.errors, self._rows, self._cells = 1, 1, 0, 0, 0
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        kind = name.rpartition(":")[2]
        if kind == "row":
            self._rows, self._cells = self._rows + 1, 0
            self._reach(attributes.get("r", ""), self._rows, 1)
        elif kind == "c":
            self._cells += 1
            self.errors += attributes.get("t") == "e"
            self._reach(attributes.get("r", ""), self._rows, self._cells)

    def _reach(self, place: str, row: int, column: int) -> None:
        letters = place.strip().rstrip("0123456789")
        digits = place.strip()[len(letters) :]
        named = 0
        for letter in letters.upper()[:8]:
            named = 26 * named + max(0, ord(letter) - 64)
        self.row = max(self.row, row, int(digits[:12] or 0))
        self.column = max(self.column, column, named)


def _rows(sheet: CalamineSheet) -> Iterator[list[str]]:
    try:
        for row in sheet.iter_rows():
            yield [_text(value) for value in row]
    except _UNREADABLE as error:
        raise InvalidUpload(f"cannot be read as a spreadsheet: {str(error)[:200]}") from None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else number_text(value)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat(" ") if isinstance(value, dt.datetime) else value.isoformat()
    return str(value)
