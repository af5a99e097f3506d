"""Spreadsheets (.xlsx): the first sheet's cells."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, BinaryIO

from python_calamine import CalamineError, CalamineWorkbook

from core.datasets._archives import open_archive
from core.datasets._content import InvalidUpload, Remarks
from core.datasets._options import Options
from core.datasets.tables.raw import MOST_CELLS, RawTable, check_size
from core.datasets.tables.rows import table_of

MOST_UNPACKED = 2**28
"""Most bytes of a workbook's parts once they are unpacked: all cells of a sheet are in memory together."""


def read_sheet(file: BinaryIO, options: Options, remarks: Remarks) -> RawTable:
    """Read the first sheet; rows are the sheet's own, and values those last computed. Raises `InvalidUpload`."""
    with open_archive(file) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
        if size > MOST_UNPACKED:
            raise InvalidUpload(
                f"the workbook has {size:,} bytes unpacked; {MOST_UNPACKED:,} is the most: save it as CSV"
            )
    file.seek(0)
    try:
        book = CalamineWorkbook.from_filelike(file)
        sheet = book.get_sheet_by_index(0)
        height, width = sheet.total_height, sheet.total_width
        if height * width <= MOST_CELLS:
            cells = sheet.to_python(skip_empty_area=False)
    except (CalamineError, OSError, ValueError, IndexError) as error:
        raise InvalidUpload(f"cannot be read as a spreadsheet: {str(error)[:200]}") from None
    check_size(width, height * width)
    if len(book.sheet_names) > 1:
        said = ", ".join(repr(name[:40]) for name in book.sheet_names[:5])
        remarks.note("file", f"the workbook has {len(book.sheet_names)} sheets, {said}: the first is read")
    return table_of(_rows(cells), options, remarks)


def _rows(cells: list[list[Any]]) -> Iterator[list[str]]:
    for row in cells:
        yield [_text(value) for value in row]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat(" ") if isinstance(value, dt.datetime) else value.isoformat()
    return str(value)
