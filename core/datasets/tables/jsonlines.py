"""JSON lines: an object a line, whose keys are the columns."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from core.datasets._content import InvalidUpload, Remarks
from core.datasets._options import Options
from core.datasets.tables.lines import encoding_of, lines_of, not_encoded
from core.datasets.tables.raw import LONGEST, RawTable
from core.datasets.tables.rows import table_of
from core.datasets.tables.texts import number_text


def read_json_lines(file: BinaryIO, options: Options, remarks: Remarks) -> RawTable:
    """Read flat objects with the keys of the first, in row 1; a null is missing. Raises `InvalidUpload`."""
    options = options.model_copy(update={"header": None})
    lines = lines_of(file, encoding_of(file, options.encoding, remarks))
    table = table_of(_rows(lines, options.encoding, remarks), options, remarks)
    table.headed = False
    table.first -= 1  # of lines, where there is no header
    if table.numbers is not None:
        table.numbers -= 1
    return table


def _rows(lines: Iterator[str], encoding: str | None, remarks: Remarks) -> Iterator[list[str]]:
    """Yield the names, then the rows; those that cannot be read come as blank ones, and what is wrong is gathered."""
    names: dict[str, None] | None = None
    for number, line in enumerate(lines, start=1):
        row: list[str] = []
        first = False
        with remarks.gathered():
            found = _object(line, number, encoding) if line.strip() else {}
            first = names is None and bool(found)
            names = dict.fromkeys(found) if first else names
            if found and names is not None:
                more = sorted(found.keys() - names)
                if more:
                    remarks.refuse(f"row {number} has {more[0]!r}, which the first row has not")
                row = [_text(found.get(name), name, number) for name in names]
        if first:
            yield list(names or ())
        yield row
    if names is None:
        remarks.check()


def _object(line: str, number: int, encoding: str | None) -> dict[str, Any]:
    if not line.isascii():
        try:
            line.encode()
        except UnicodeEncodeError:
            raise not_encoded(f"row {number}", encoding) from None
    try:
        found = json.loads(line, object_pairs_hook=_once)
    except _Twice as error:
        raise InvalidUpload(f"row {number} has {error.key!r} twice") from None
    except (ValueError, RecursionError) as error:
        raise InvalidUpload(f"row {number} is not JSON: {str(error)[:200]}") from None
    if not isinstance(found, dict):
        raise InvalidUpload(f'row {number} is not an object: each line should be one, such as {{"x": 1}}')
    if "\\u" in line:
        _check_halves(found, number)
    return found


class _Twice(Exception):
    """A key that an object has twice, of which Python would take the last."""

    def __init__(self, key: str) -> None:
        self.key = key[:LONGEST].encode("ascii", "backslashreplace").decode()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Twice(key)
            seen.add(key)
    return found


def _check_halves(found: dict[str, Any], number: int) -> None:
    """Refuse half a character, as an escape such as \\ud800 alone is: no file can hold it."""
    for name, value in found.items():
        for text in (name, value):
            try:
                text.encode() if isinstance(text, str) else None
            except UnicodeEncodeError as error:
                half = text[error.start].encode("ascii", "backslashreplace").decode()
                raise InvalidUpload(f"row {number} holds half a character, {half}: it needs the other half") from None


def _text(value: Any, name: str, number: int) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        raise InvalidUpload(f"row {number}: {name!r} holds a list or an object, not a number or text")
    try:
        return number_text(value) if isinstance(value, float) else str(value)
    except ValueError:  # of thousands of digits
        raise InvalidUpload(f"row {number}: {name!r} has too many digits") from None
