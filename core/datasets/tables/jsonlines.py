"""JSON lines: an object a line, whose keys are the columns."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from core.datasets._content import InvalidUpload, Remarks
from core.datasets._options import Options
from core.datasets.tables.lines import encoding_of, lines_of
from core.datasets.tables.raw import RawTable
from core.datasets.tables.rows import table_of


def read_json_lines(file: BinaryIO, options: Options, remarks: Remarks) -> RawTable:
    """Read flat objects with the keys of the first, in row 1; a null is missing. Raises `InvalidUpload`."""
    options = options.model_copy(update={"header": None})
    table = table_of(_rows(lines_of(file, encoding_of(file, None, remarks)), remarks), options, remarks)
    table.headed = False
    table.first -= 1  # of lines, where there is no header
    if table.numbers is not None:
        table.numbers -= 1
    return table


def _rows(lines: Iterator[str], remarks: Remarks) -> Iterator[list[str]]:
    names: dict[str, None] | None = None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            yield []
            continue
        found = _object(line, number)
        if names is None:
            names = dict.fromkeys(found)
            yield list(names)
        if found.keys() - names:
            remarks.refuse(f"row {number} has {sorted(found.keys() - names)[0]!r}, which the first row has not")
        yield [_text(found.get(name), name, number) for name in names]


def _object(line: str, number: int) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InvalidUpload(f"row {number} is not JSON: {str(error)[:200]}") from None
    if not isinstance(found, dict):
        raise InvalidUpload(f'row {number} is not an object: each line should be one, such as {{"x": 1}}')
    return found


def _text(value: Any, name: str, number: int) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        raise InvalidUpload(f"row {number}: {name!r} holds a list or an object, not a number or text")
    try:
        return str(value)
    except ValueError:  # of thousands of digits
        raise InvalidUpload(f"row {number}: {name!r} has too many digits") from None
