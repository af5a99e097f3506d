"""Delimited text: values between commas, semicolons or tabs, quoted as RFC 4180 has it."""

import csv
import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import BinaryIO

from core.datasets._content import InvalidUpload, Remarks
from core.datasets._options import Options, words
from core.datasets.tables.dialect import NAMES, SAMPLE_ROWS, directive, separator_of
from core.datasets.tables.lines import encoding_of, lines_of, not_encoded
from core.datasets.tables.raw import RawTable, is_number
from core.datasets.tables.rows import table_of

LONGEST_VALUE = 131_072
"""Most characters of a value; what is longer is most likely a quote that never closes."""
_SAMPLE_CHARACTERS = 2**18


def read_delimited(file: BinaryIO, options: Options, remarks: Remarks, *, tabs: bool = False) -> RawTable:
    """Read a delimited text; the header is row 1, and blank rows count. Raises `InvalidUpload`."""
    lines = lines_of(file, encoding_of(file, options.encoding, remarks))
    first = next(lines, "")
    said = directive(first)
    sample = [] if said else [first]
    size = 0
    for line in islice(lines, SAMPLE_ROWS):
        sample.append(line)
        size += len(line)
        if size > _SAMPLE_CHARACTERS:
            break
    tabs = tabs and any("\t" in line for line in sample)  # else the ending is wrong, as it often is
    separator = options.delimiter or said or ("\t" if tabs else None)
    if separator is None:
        named = list(words((*options.target, *options.drop)))
        separator = separator_of(sample, named)
        if separator != ",":
            remarks.note("separator", f"the values are separated by {NAMES[separator]}, by the first rows")
    rows = _rows(chain(sample, lines), separator, remarks)
    try:
        table = table_of(rows, options, remarks)
    except UnicodeEncodeError:  # of a name
        raise not_encoded("the header", options.encoding) from None
    table.separator = separator
    return table


def _rows(lines: Iterator[str], separator: str, remarks: Remarks) -> Iterator[list[str]]:
    """Yield the rows, blank ones as empty lists; raises `InvalidUpload` at a quote that is opened or closed wrongly."""
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)
    number, line, doubtful = 0, 0, list[int]()
    while True:
        number += 1
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            raise _unquoted(number, str(error)) from None
        if reader.line_num > line + 1 and _look_inside(row, number, reader.line_num - line, separator, remarks):
            doubtful.append(number)
        line = reader.line_num
        if number == 1:
            for name in row:
                name.encode()
        yield row
    if doubtful:
        shown = ", ".join(map(str, doubtful[:5])) + (f" and {len(doubtful) - 5:,} more" if len(doubtful) > 5 else "")
        remarks.note(
            "file",
            f"the lines of a value in row {shown} would be rows of the table without the quotes around them: if they "
            "are rows, close the quote",
        )


def _unquoted(row: int, error: str) -> InvalidUpload:
    """Return what is wrong with the quotes of a row, by the error of Python's reader."""
    if "unexpected end of data" in error:
        return InvalidUpload(f"the quote opened in row {row} never closes")
    if "field larger than" in error:
        return InvalidUpload(
            f"row {row} has a value longer than {LONGEST_VALUE:,} characters: perhaps its quote never closes"
        )
    if "expected after" in error:
        return InvalidUpload(
            f"the quote opened in row {row} closes in the middle of a value: a quote within a quoted value is written "
            "twice, or the one that opens it never closes"
        )
    return InvalidUpload(f"row {row} cannot be read: {error}")


def _look_inside(row: list[str], number: int, lines: int, separator: str, remarks: Remarks) -> bool:
    """Refuse a value that holds whole rows, as a quote that closes too late makes them; note one of several lines.

    True where its lines would be rows of the table without the quotes, and nothing tells whether they are.
    """
    doubtful = False
    for i, text in enumerate(row if len(row) > 1 else ()):
        first, *later = re.split(r"\r\n|\n|\r", text)
        if not later:
            continue
        *inner, last = later
        whole = [part.split(separator) for part in inner if part]
        split = [[*row[:i], *first.split(separator)], *whole, [*last.split(separator), *row[i + 1 :]]]
        numbers = [j for j, other in enumerate(row) if j != i and is_number(other)]
        fits = all(len(one) == len(row) for one in split)
        alike = fits and all(is_number(one[j]) for one in split for j in numbers)
        if (whole and all(len(one) == len(row) for one in whole)) or (alike and numbers):
            raise InvalidUpload(
                f"the quote opened in row {number} closes {lines - 1:,} lines later, and what is between looks like "
                "rows of the table: close the quote, or drop it"
            )
        doubtful = doubtful or alike
    remarks.note("file", "there are values of several lines in quotes; each is one row of the table")
    return doubtful
