"""A table as it stands in its file, before anything is understood of it."""

from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.datasets._content import InvalidUpload, Remarks
from core.letters import unfit_letter

MOST_CELLS = 50_000_000
MOST_COLUMNS = 10_000
LONGEST = 200
"""Most characters of a category or a column's name."""


@dataclass(kw_only=True)
class RawTable:
    """Names, and columns of texts or of typed values; rows have the numbers that a spreadsheet shows."""

    names: list[str]
    """All names, in the file's order."""
    columns: dict[str, pa.ChunkedArray]
    """The columns that were read; others are dropped or left out."""
    rows: int
    numbers: NDArray[np.int64] | None = None
    """The row of every example; None: they are counted from `first`."""
    first: int = 1
    file: str = ""
    """The name of the file in an archive; empty: it is the upload itself."""
    declared: frozenset[str] = frozenset()
    """The columns whose type says that they are categories."""
    separator: str = ","
    valid: "RawTable | None" = None
    """The part held out, where the file has one."""
    headed: bool = False
    """Its names are those of a first row that might be data."""
    unnamed: frozenset[str] = frozenset()
    """The columns whose header is empty, by the names that they have here."""

    def row(self, place: int) -> str:
        """Return where the example at a place stands, the part held out counted on."""
        if self.valid is not None and place >= self.rows:
            return self.valid.row(place - self.rows)
        number = self.first + place if self.numbers is None else int(self.numbers[place])
        return f"row {number}" + (f" of {self.file}" if self.file else "")

    @property
    def total(self) -> int:
        """The number of rows, those held out included."""
        return self.rows + (self.valid.rows if self.valid else 0)


def check_size(columns: int, cells: int) -> None:
    """Raise `InvalidUpload` for a table of too many columns or cells."""
    if columns > MOST_COLUMNS:
        raise InvalidUpload(f"the table has {columns:,} columns; {MOST_COLUMNS:,} is the most")
    if cells > MOST_CELLS:
        raise InvalidUpload(f"the table has more than {MOST_CELLS:,} cells")


def check_names(names: list[str], remarks: Remarks) -> None:
    """Raise for names that cannot be told apart or shown."""
    for i, name in enumerate(names, start=1):
        if len(name) > LONGEST or unfit_letter(name):
            hint = "" if len(names) > 1 else "; if a sign in it separates the values, say separator"
            remarks.refuse(f"column {i} should have a printable name of at most {LONGEST} characters{hint}")
    if len(set(names)) < len(names):
        for name in dict.fromkeys(name for name in names if names.count(name) > 1):
            advice = " (if the first row is data, say header=false)" if is_number(name) else ""
            remarks.refuse(f"there are two columns {name!r}{advice}")
    remarks.check()


def is_number(text: str) -> bool:
    """Return True for a text that Python reads as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def joined(train: RawTable, valid: RawTable, remarks: Remarks) -> RawTable:
    """Return one table whose part held out is the other; raises where their columns differ."""
    before = len(remarks.problems)
    for name in sorted(set(train.names) ^ set(valid.names)):
        has, lacks = (train, valid) if name in train.names else (valid, train)
        remarks.refuse(f"{has.file} has a column {name!r}, and {lacks.file} has not")
    if len(remarks.problems) > before:
        remarks.check()
    columns = {}
    for name, values in train.columns.items():
        other = valid.columns[name]
        try:
            one, two = (values, other) if values.type == other.type else _of_one_type(values, other)
        except pa.ArrowException:
            remarks.refuse(f"column {name!r} holds {values.type} in {train.file} and {other.type} in {valid.file}")
            continue
        columns[name] = pa.chunked_array([*one.chunks, *two.chunks], one.type)
    if len(remarks.problems) > before:
        remarks.check()
    train.columns, valid.columns, train.valid = columns, {}, valid
    return train


def _of_one_type(*parts: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Return two columns as one type that holds both; raises `pa.ArrowException` where there is none."""
    one, two = (part.cast(part.type.value_type) if pa.types.is_dictionary(part.type) else part for part in parts)
    kinds = [part.type for part in (one, two)]
    families = {_family(kind) for kind in kinds} - {"null"}
    if families == {"number"}:
        return one.cast(pa.float64(), safe=False), two.cast(pa.float64(), safe=False)
    if "text" not in families and len(families) > 1:
        raise pa.ArrowTypeError("values of two kinds")
    kind = pa.string() if "text" in families else next(kind for kind in kinds if not pa.types.is_null(kind))
    return one.cast(kind), two.cast(kind)


def _family(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "text"
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return "date"
    return "time" if pa.types.is_time(kind) else str(kind)


def in_archive(name: str) -> str:
    """Return the last part of a name inside an archive."""
    return PurePath(name).name[-120:]
