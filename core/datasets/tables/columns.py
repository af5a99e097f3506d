"""A column as a network can take it: a number, 0 or 1, or a category, decided by its values."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from core.datasets._content import Column, InvalidUpload, InvalidUploads, Remarks
from core.datasets._targets import MOST_CLASSES
from core.datasets.tables import dates, times
from core.datasets.tables.columnar import is_text
from core.datasets.tables.decimals import HEAD, check_decimal, decimal_of
from core.datasets.tables.doubts import doubt_categories, doubt_digits
from core.datasets.tables.missing import AMONG_NUMBERS, blanked
from core.datasets.tables.numbers import SAID, Decimal, read_numbers
from core.datasets.tables.raw import LONGEST, RawTable
from core.datasets.tables.rows import MOST_CATEGORIES, words_among
from core.datasets.tables.texts import different, trimmed
from core.errors import Problem

Values = NDArray[np.float64]
TRIPLES = r"^[+-]?[1-9]\d{0,2}(\.\d{3})+$"
_SHOWN = 3
_EACH = 10


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The rules for reading the columns of one table."""

    table: RawTable
    remarks: Remarks
    marks: tuple[str, ...]
    """The texts that mean a missing value."""
    marks_given: bool
    categorical: frozenset[str]
    numeric: frozenset[str]
    targets: frozenset[str]
    decimal: Decimal | None
    """The decimal sign, as said or as some column shows."""
    amounts: set[str] = field(default_factory=set)
    """The columns read so far whose numbers are written as amounts are, with separators or signs."""

    def read(self, name: str) -> tuple[Column, Values]:
        """Return a column and its values (n,): numbers, 0 and 1, or indices of its categories; NaN where missing.

        Raises `InvalidUpload` for a column that is nothing of these.
        """
        try:
            return self._read(name)
        except pa.ArrowException as error:  # a damaged file has values that its types do not have
            raise InvalidUpload(f"column {name!r} cannot be read: {str(error)[:200]}") from None

    def _read(self, name: str) -> tuple[Column, Values]:
        values = self.table.columns[name]
        kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
        if pa.types.is_null(kind):
            raise InvalidUpload(f"column {name!r} has no values")
        as_text = name in self.categorical or (name in self.table.declared and name not in self.numeric)
        if is_text(kind) or as_text:
            self._bound(name, values.slice(0, HEAD))
            return _TextColumn(self, name, trimmed(values)).read(as_text=as_text)
        return self._typed(name, values.cast(kind) if pa.types.is_dictionary(values.type) else values)

    def _bound(self, name: str, head: pa.ChunkedArray) -> None:
        """Refuse a column whose first values are too many different texts, before the others are looked at."""
        texts, _, _ = different(trimmed(head), self.marks)
        words = texts if name in self.categorical else words_among(texts)
        most = MOST_CLASSES if name in self.targets else MOST_CATEGORIES
        if name not in self.numeric and len(words) > most and 2 * len(words) > len(texts):
            noun = "classes" if name in self.targets else "different values"
            raise InvalidUpload(f"text column {name!r} has more than {most:,} {noun}: drop it")

    def _typed(self, name: str, values: pa.ChunkedArray) -> tuple[Column, Values]:
        kind = values.type
        if pa.types.is_boolean(kind):
            return Column(name=name, kind="bool"), _floats(values.cast(pa.uint8()))
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            return self.number(name, _floats(values))
        if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
            if name in self.numeric:
                self.remarks.note(f"columns.{name}", "its dates are days since 1970-01-01")
                return self.number(name, dates.days_of(values))
            raise InvalidUpload(f"column {name!r} holds dates ({kind}): {dates.ADVICE}")
        if pa.types.is_time(kind):
            if name in self.numeric:
                self.remarks.note(f"columns.{name}", times.SAID)
                return self.number(name, times.hours_of(values))
            raise InvalidUpload(f"column {name!r} holds times of day ({kind}): {dates.ADVICE}")
        raise InvalidUpload(
            f"column {name!r} holds {kind} values, not numbers or text: drop it, or name it in `categorical`"
        )

    def number(self, name: str, numbers: Values) -> tuple[Column, Values]:
        """Return a column of numbers; refuses those that are no finite float32."""
        too_large = np.flatnonzero(np.abs(numbers) > np.finfo(np.float32).max)
        if len(too_large):
            row = self.table.row(int(too_large[0]))
            raise InvalidUpload(f"column {name!r}, {row}: {numbers[too_large[0]]} is no finite float32")
        if np.isnan(numbers).all():
            raise InvalidUpload(f"column {name!r} has no values")
        return Column(name=name, kind="number"), numbers


class _TextColumn:
    """One column of texts, by its different values."""

    def __init__(self, rules: Reading, name: str, values: pa.ChunkedArray) -> None:
        self._rules, self._name, self._values = rules, name, values

    def read(self, *, as_text: bool) -> tuple[Column, Values]:
        rules, name = self._rules, self._name
        if not as_text and not pa.types.is_dictionary(self._values.type):
            numbers = self._plain(blanked(self._values, rules.marks))
            if numbers is not None:
                return rules.number(name, numbers)
        texts, codes, counts = different(self._values, rules.marks)
        if not len(texts):
            raise InvalidUpload(f"column {name!r} has no values")
        if as_text:
            return self._categories(texts, codes, counts, quiet=True)
        if len(words_among(texts.slice(0, HEAD))) > MOST_CLASSES:  # of millions the first tell
            self._check_count(len(texts))
        if set(map(str.lower, map(str, texts.slice(0, 7).to_pylist()))) <= {"true", "false"} and len(texts) < 7:
            by_text = np.array([*(str(text).lower() == "true" for text in texts.to_pylist()), np.nan], dtype=np.float64)
            return Column(name=name, kind="bool"), by_text[codes]
        if (found := self._written(texts, codes, counts)) is not None:
            return rules.number(name, found)
        return self._categories(texts, codes, counts, quiet=False)

    def _plain(self, column: pa.ChunkedArray) -> Values | None:
        """Return the values of a column of digits and decimal points; None for another."""
        rules, name = self._rules, self._name
        try:
            numbers = column.cast(pa.float64())
        except pa.ArrowInvalid:
            return None
        if numbers.null_count == len(numbers):
            return None
        if rules.decimal == "," and compute.any(compute.match_substring_regex(column, TRIPLES)).as_py():
            return None
        if rules.decimal == "," and compute.any(compute.match_substring(column, ".")).as_py():
            text = "its numbers have a decimal point, where the decimal sign is ',': they are read with the point"
            rules.remarks.note(f"columns.{name}", text)
        doubt_digits(name, column.slice(0, HEAD).drop_null(), rules.remarks, numeric=name in rules.numeric)
        return _floats(numbers)

    def _written(self, texts: pa.Array, codes: NDArray[np.int64], counts: NDArray[np.int64]) -> Values | None:
        """Return the values of a column of numbers however they are written, or of dates that are to be numbers."""
        rules, name = self._rules, self._name
        decimal = rules.decimal or decimal_of(name, texts, rules.table.separator)
        found = read_numbers(texts, decimal)
        others = np.isnan(found.values)
        marks = _are_in(texts, AMONG_NUMBERS)
        if others.any() and not rules.marks_given and not others.all() and marks[others].all():
            self._note_markers(texts, counts, others, "numbers")
            others = np.zeros_like(others)
        elif others.any():
            check_decimal(name, texts, counts, others, decimal)
            return self._dates_or_text(texts, codes, counts, others)
        if found.mixed:
            raise InvalidUpload(f"column {name!r} holds numbers, but {found.mixed[0]}: write them alike, or drop it")
        shown = [str(text) for text in texts.slice(0, _SHOWN).to_pylist()]
        ways = [SAID[way] for way in sorted(found.ways - {"point"})]
        if ways:
            rules.amounts.add(name)
            text = f"its values, such as {shown[0]!r}, are read as numbers {' and '.join(ways)}"
            more = ", or decimal for another decimal sign" if found.ways & {"grouped", "comma"} else ""
            rules.remarks.note(f"columns.{name}", f"{text}; if they are none, say categorical={name}{more}")
        return np.append(found.values, np.nan)[codes]

    def _dates_or_text(
        self, texts: pa.Array, codes: NDArray[np.int64], counts: NDArray[np.int64], others: NDArray[np.bool_]
    ) -> Values | None:
        """Return the numbers of dates or times of day that are asked for; None for text. Raises for what is neither."""
        rules, name = self._rules, self._name
        absent = _are_in(texts, () if rules.marks_given else (*AMONG_NUMBERS, *dates.NO_DAYS))
        dated = dates.are_dates(texts).to_numpy(zero_copy_only=False) & ~absent
        mostly_dated = dated.any() and 2 * counts[dated].sum() >= counts[~absent].sum()
        if name in rules.numeric and mostly_dated:
            if not (dated | absent).all():
                self._refuse_each(texts, codes, ~(dated | absent), "dates")
            return self._since(texts, codes, counts, absent)
        if name in rules.numeric:
            self._refuse_each(texts, codes, others)
        if mostly_dated:
            at = int(np.argmax(dated))
            place = rules.table.row(int(np.argmax(codes == at)))
            raise InvalidUpload(
                f"column {name!r} holds dates, such as {texts[at].as_py()!r} in {place}: {dates.ADVICE}"
            )
        if 2 * counts[~others].sum() >= counts.sum():
            self._refuse_each(texts, codes, others)
        return None

    def _since(
        self, texts: pa.Array, codes: NDArray[np.int64], counts: NDArray[np.int64], absent: NDArray[np.bool_]
    ) -> Values:
        """Return dates as days, or times of day as hours; NaN for the markers of missing values among them."""
        rules, name = self._rules, self._name
        known = texts.filter(pa.array(~absent))
        clock = bool(compute.all(times.are_times(known)).as_py())
        if absent.any():
            self._note_markers(texts, counts, absent, "times" if clock else "dates")
        rules.remarks.note(f"columns.{name}", times.SAID if clock else "its dates are days since 1970-01-01")
        found = np.full(len(texts) + 1, np.nan)
        found[np.flatnonzero(~absent)] = times.hours(known, name) if clock else dates.days(known, name)
        return found[codes]

    def _note_markers(self, texts: pa.Array, counts: NDArray[np.int64], absent: NDArray[np.bool_], among: str) -> None:
        name = self._name
        said = ", ".join(repr(text) for text in texts.filter(pa.array(absent)).slice(0, 5).to_pylist())
        text = f"{said} in {int(counts[absent].sum()):,} rows stand among {among} and are missing values"
        self._rules.remarks.note(
            f"columns.{name}", f"{text}; if they are not, say missing_values or categorical={name}"
        )

    def _refuse_each(
        self, texts: pa.Array, codes: NDArray[np.int64], others: NDArray[np.bool_], among: str = "numbers"
    ) -> None:
        """Raise for the texts that stand among numbers or dates: most likely typing errors."""
        found = []
        for at in np.flatnonzero(others)[:_EACH]:
            row = self._rules.table.row(int(np.argmax(codes == at)))
            text = str(texts[int(at)].as_py())[:80]
            found.append(
                f"column {self._name!r}, {row}: {text!r} stands among {among} (if it means a missing value, name it in "
                "`missing_values`; if all are categories, name the column in `categorical`)"
            )
        more = int(others.sum()) - _EACH
        if more > 0:
            found.append(f"column {self._name!r}: {more:,} more different texts stand among its {among}")
        raise InvalidUploads([Problem("file", message) for message in found])

    def _categories(
        self, texts: pa.Array, codes: NDArray[np.int64], counts: NDArray[np.int64], *, quiet: bool
    ) -> tuple[Column, Values]:
        rules, name = self._rules, self._name
        self._check_count(len(texts))
        found = [str(text) for text in texts.to_pylist()]
        for i, text in enumerate(found):
            if len(text) > LONGEST:
                row = rules.table.row(int(np.argmax(codes == i)))
                raise InvalidUpload(f"column {name!r}, {row}: the text has {len(text):,} characters: drop the column")
        if not quiet:
            doubt_categories(name, found, counts, rules.remarks, target=name in rules.targets)
        categories = sorted(found)
        order = {text: i for i, text in enumerate(categories)}
        by_text = np.array([*(order[text] for text in found), np.nan], dtype=np.float64)
        return Column(name=name, kind="text", categories=categories), by_text[codes]

    def _check_count(self, count: int) -> None:
        """Raise for more categories than a column may have."""
        most = MOST_CLASSES if self._name in self._rules.targets else MOST_CATEGORIES
        if count > most:
            raise InvalidUpload(f"text column {self._name!r} has {count:,} categories; {most} is the most: drop it")


def _floats(values: pa.ChunkedArray) -> Values:
    found: Values = compute.cast(values, pa.float64(), safe=False).to_numpy()
    return found


def _are_in(texts: pa.Array, among: Sequence[str]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = compute.is_in(texts, pa.array(among, pa.string())).to_numpy(zero_copy_only=False)
    return found
