"""Rows of texts, as any reader of text or cells gives them, gathered into columns as they come."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
import pyarrow as pa
from pyarrow import compute

from core.datasets._content import InvalidUpload, Remarks
from core.datasets._options import Options, words
from core.datasets._targets import MOST_CLASSES
from core.datasets.tables.dates import DATE
from core.datasets.tables.dialect import looks_like_data
from core.datasets.tables.lines import not_encoded
from core.datasets.tables.missing import AMONG_NUMBERS, MISSING
from core.datasets.tables.numbers import bare, fits
from core.datasets.tables.raw import RawTable, check_names, check_size

MOST_CATEGORIES = 100
BATCH = 10_000
"""Rows that are looked at together."""
_FEW = 500
"""Rows that are lists at a time: fewer than make Python look for garbage, which would take most of the time."""
Row = Sequence[str]


def table_of(rows: Iterator[Row], options: Options, remarks: Remarks) -> RawTable:
    """Gather the rows, the first of them being the header unless `header` is false; empty ones are left out.

    Raises `InvalidUpload` as soon as a column of text has more different values than it may, and with all rows that
    have too many or too few values.
    """
    header, skipped = next(((row, i) for i, row in enumerate(rows) if any(row)), (None, 0))
    if header is None:
        raise InvalidUpload("the file has no rows")
    given = options.header is not False
    names = [text.strip() for text in header] if given else [f"column_{i}" for i in range(1, len(header) + 1)]
    check_size(len(names), 0)
    unnamed = frozenset(f"column_{i}" for i, name in enumerate(names, start=1) if not name)
    names = _named(names, remarks)
    check_names(names, remarks)
    if given and looks_like_data(header):
        _doubt_header(header, options, remarks)
    gathered = _Gathered(names, options, remarks, start=skipped + 1 + given)
    gathered.add_all(rows if given else _after(header, rows))
    table = gathered.table(skipped + 1 + given)
    table.unnamed, table.headed = unnamed, given
    return table


class _Gathered:
    """Columns that grow by batches of rows."""

    def __init__(self, names: list[str], options: Options, remarks: Remarks, start: int) -> None:
        dropped, self._forced = set(words(options.drop)), set(words((*options.categorical, *options.text)))
        self._names, self._remarks, self._encoding = names, remarks, options.encoding
        self._kept = [i for i, name in enumerate(names) if name not in dropped]
        self._chunks: list[list[pa.Array]] = [[] for _ in names]
        self._different: list[set[str]] = [set() for _ in names]
        self._most = [MOST_CLASSES if name in set(words(options.target)) else MOST_CATEGORIES for name in names]
        self._texts: list[list[str]] = [[] for _ in names]
        self._next, self._rows, self._flushed, self._full = start, 0, 0, False
        self._gaps: list[tuple[int, int]] = []
        """(example, row) after every gap in the rows."""

    def add_all(self, rows: Iterator[Row]) -> None:
        while batch := list(islice(rows, _FEW)):
            sound = self._sound(batch)
            self._rows += len(sound)
            for texts, more in zip(self._texts, zip(*sound, strict=True), strict=False):
                texts.extend(more)
            if self._rows - self._flushed >= BATCH:
                self._flush()
        self._flush()

    def table(self, first: int) -> RawTable:
        columns = {self._names[i]: pa.chunked_array(self._chunks[i], pa.string()) for i in self._kept}
        numbers = None
        if self._gaps:
            after, rows = np.array([(0, first), *self._gaps]).T
            places = np.arange(self._rows)
            numbers = places + (rows - after)[np.searchsorted(after, places, side="right") - 1]
        return RawTable(names=self._names, columns=columns, rows=self._rows, numbers=numbers, first=first)

    def _sound(self, batch: list[Row]) -> list[Row]:
        """Return the rows that have a value, each with one for every column."""
        width = len(self._names)
        sound: list[Row] = []
        for row in batch:
            if len(row) == width + 1 and not row[-1]:
                row = row[:-1]  # a separator after the last value
            if not any(row):
                self._next += 1
                self._gaps.append((self._rows + len(sound), self._next))
                continue
            self._next += 1
            if len(row) == width:
                sound.append(row)
                continue
            if width == 1 and not self._rows and not sound:
                raise InvalidUpload(
                    f"the first row has one value, {self._names[0]!r}, and row {self._next - 1} has {len(row)}: remove "
                    "a title or comment above the header, or say what separates the values",
                    "separator",
                )
            self._remarks.refuse(f"row {self._next - 1} has {len(row)} values where the header has {width}")
            self._gaps.append((self._rows + len(sound), self._next))
        return sound

    def _flush(self) -> None:
        """Keep the texts that have come as arrays, and look whether there are too many different ones."""
        count = self._rows - self._flushed
        check_size(len(self._names), self._rows * len(self._names))
        for i in self._kept if count else ():
            try:
                texts = compute.utf8_trim_whitespace(pa.array(self._texts[i], pa.string()))
            except UnicodeEncodeError:
                at = next(at for at, text in enumerate(self._texts[i]) if not _is_utf8(text))
                what = f"column {self._names[i]!r}, near row {self._next - count + at},"
                raise not_encoded(what, self._encoding) from None
            self._chunks[i].append(texts)
            with self._remarks.gathered():
                self._bound(i, texts)
        for gathered in self._texts:
            gathered.clear()
        self._flushed = self._rows
        if self._full:  # a file of such columns may be large: it is read no further
            self._remarks.check()

    def _bound(self, i: int, texts: pa.Array) -> None:
        """Refuse a column with too many different values that are neither numbers nor dates."""
        forced = self._names[i] in self._forced
        if not forced and _are_plain(texts):
            return
        values = texts.unique() if forced else words_among(texts.unique())
        self._different[i].update(values.slice(0, self._most[i] + 1).to_pylist())
        if len(self._different[i]) > self._most[i]:
            self._full = True
            noun = "classes" if self._most[i] == MOST_CLASSES else "different values"
            advice = "drop it, or if it is numbers name it in `numeric` to be told of the rows where it is none"
            if forced:
                advice = "drop it, or leave it out of `categorical`"
            raise InvalidUpload(f"text column {self._names[i]!r} has more than {self._most[i]:,} {noun}: {advice}")


def words_among(values: pa.Array) -> pa.Array:
    """Return those of the texts that are neither numbers nor dates nor markers of missing values."""
    values = values.filter(compute.invert(compute.is_in(values, pa.array([*MISSING, *AMONG_NUMBERS]))))
    plain, _ = bare(values)
    numbers = compute.or_(fits(plain, "."), fits(plain, ","))
    return values.filter(compute.invert(compute.or_(numbers, compute.match_substring_regex(values, DATE))))


def _are_plain(texts: pa.Array) -> bool:
    """Return True where all texts are digits that need no closer look, which most columns of numbers are."""
    try:
        texts.cast(pa.float64())
    except pa.ArrowInvalid:
        return False
    return True


def _after(first: Row, rest: Iterator[Row]) -> Iterator[Row]:
    yield first
    yield from rest


def _named(names: list[str], remarks: Remarks) -> list[str]:
    """Return the names, `column_<n>` in the place of an empty one."""
    made = [name or f"column_{i}" for i, name in enumerate(names, start=1)]
    for i, name in enumerate(names, start=1):
        if not name:
            remarks.note(f"columns.column_{i}", f"column {i} has no name: it is called column_{i} here")
    return made


def _doubt_header(header: Iterable[str], options: Options, remarks: Remarks) -> None:
    targets = [name for name in options.target if name]
    shown = ", ".join(repr(text[:40]) for text in list(header)[:4])
    if targets and not set(words(targets)) & {text.strip() for text in header}:
        raise InvalidUpload(
            f"the first row, {shown}, has no column {targets[0]!r} and looks like data: say header=false, and name the "
            "target column_1, column_2, ...",
            "header",
        )
    remarks.note("header", f"the first row, {shown}, was taken as names: if it is data, say header=false")


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
