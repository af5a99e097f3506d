"""Dates and times, for which there is one rule in every format: refused, unless an option says what they are."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from core.datasets._content import InvalidUpload
from core.datasets.tables.times import CLOCK, hours

NO_DAYS = ("0000-00-00", "0000-00-00 00:00:00", "0000-00-00T00:00:00", "00/00/0000", "00.00.0000")
"""The texts by which databases write that there is no date."""
_MONTH = (
    r"(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_ZONE = r"(?:\s*(?:[A-Z]{1,5}|[+-]\d{2}(?::?\d{2})?))?"
_WEEKDAY = (
    r"(?:(?i:mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)"
    r"\.?,?\s+)?"
)
_DAY = "|".join(
    (
        r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}",
        r"\d{4}-\d{2}",
        r"\d{1,2}/\d{4}",
        r"\d{8}T\d{4,6}Z?",
        r"\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})",
        rf"{_WEEKDAY}\d{{1,2}}(?:st|nd|rd|th)?[-./ ]?\s*{_MONTH}[-,./ ]?\s*(?:\d{{4}}|\d{{2}})",
        rf"{_WEEKDAY}{_MONTH}[- ]\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}",
        rf"{_WEEKDAY}{_MONTH}\s+\d{{1,2}}\s+{CLOCK}(?:\s+[A-Z]{{3,4}})?\s+\d{{4}}",  # as C and `date` write it
        rf"{_MONTH}[-/ ]'?\d{{1,4}}|\d{{1,2}}[-. /]\s*{_MONTH}",
        rf"(?:19|20)\d{{6}}[T ]{CLOCK}",
        rf"\d{{4}}[-/ ]{_MONTH}(?:[-/ ]\d{{1,2}})?",
        r"(?:19|20)\d{2}[-/ ]?[QqHh][1-4]|[QqHh][1-4][-/ ]?(?:19|20)\d{2}|[1-4]Q\d{2,4}",
        r"\d{4}-?W(?:[0-4]\d|5[0-3])(?:-?[1-7])?",
        r"(?:19|20)\d{2}-(?:[0-2]\d{2}|3[0-5]\d|36[0-6])",
        r"\d{1,2}\.\s?\d{1,2}\.",
        r"\d{1,2}\.?\s+(?:de\s+)?[^\x00-@]{3}[^\x00-@]*\.?\s+(?:de\s+)?(?:19|20)\d{2}",  # months of other languages
    )
)
DATE = rf"^(?:(?:{_DAY})(?:[T ,]\s*{CLOCK}{_ZONE})?|{CLOCK})$"
_NUMERIC = (
    r"^(?P<a>\d{1,4})[-/.](?P<b>\d{1,2})[-/.](?P<c>\d{1,4})"
    rf"(?:[T ,]\s*(?P<clock>{CLOCK})\s*(?:Z|UTC|GMT|(?P<zone>[+-]\d{{2}}:?\d{{2}}))?)?$"
)
_ZONED = r"(?:Z|UTC|GMT|:\d{2}[^:]*[+-]\d{2}:?\d{2})$"
ADVICE = "drop the column, or name it in `numeric` (days since 1970-01-01, hours of a time of day) or in `categorical`"
_OF_DAYS = {"s": 86_400.0, "ms": 86_400e3, "us": 86_400e6, "ns": 86_400e9}
"""The units of a day, by their names."""


def are_dates(texts: pa.Array) -> pa.Array:
    """Return which of the texts are dates or times of the day."""
    return compute.match_substring_regex(texts, DATE)


def days(texts: pa.Array, name: str) -> NDArray[np.float64]:
    """Return dates as days since 1970-01-01, with fractions for times; raises `InvalidUpload` where that is unclear.

    Years first, or days and months in the order that some date of the column tells (14 is no month). Times with a zone
    are taken to UTC.
    """
    parts = compute.extract_regex(texts, _NUMERIC)
    if parts.null_count:
        text = str(texts.filter(compute.is_null(parts))[0].as_py())
        raise InvalidUpload(f"column {name!r}: {text[:40]!r} is no date such as 2020-03-14: write it so", "numeric")
    a, b, c = (_part(parts, field) for field in "abc")
    if compute.all(compute.match_substring_regex(texts, r"^\d{4}")).as_py():
        year, month, day = a, b, c
    elif (a > 31).any() or (c < 1000).any():
        raise InvalidUpload(f"column {name!r}: years should be written with four digits", "numeric")
    else:
        dotted = bool(compute.all(compute.match_substring(texts, ".")).as_py())  # which only days before months have
        day_first, month_first = bool((a > 12).any()) or dotted, bool((b > 12).any())
        if day_first == month_first:
            raise InvalidUpload(
                f"column {name!r}: {texts[0].as_py()!r} may have its day or its month first: write 2020-03-14",
                "numeric",
            )
        year, month, day = (c, b, a) if day_first else (c, a, b)
    months = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (month - 1)
    whole = months.astype("datetime64[D]") + (day - 1)
    wrong = (month < 1) | (month > 12) | (day < 1) | (whole.astype("datetime64[M]") != months)
    if wrong.any():
        text = texts[int(np.argmax(wrong))].as_py()
        raise InvalidUpload(f"column {name!r}: {text!r} is no day of the calendar", "numeric")
    return np.asarray(whole.astype(np.int64) + _hours(texts, parts, name) / 24, dtype=np.float64)


def _hours(texts: pa.Array, parts: pa.Array, name: str) -> NDArray[np.float64]:
    """Return the hours from the date's midnight, of UTC where zones are given, 0 for dates without a time."""
    found = np.zeros(len(texts))
    clocks = compute.struct_field(parts, "clock")
    timed = compute.greater(compute.utf8_length(compute.fill_null(clocks, "")), 0)
    with_time = texts.filter(timed)
    if not len(with_time):
        return found
    zoned = compute.match_substring_regex(with_time, _ZONED)
    if compute.any(zoned).as_py() and not compute.all(zoned).as_py():
        text = with_time.filter(compute.invert(zoned))[0].as_py()
        raise InvalidUpload(f"column {name!r}: {text!r} has no time zone, and others have: write them alike", "numeric")
    zones = compute.fill_null(compute.struct_field(parts, "zone"), "").filter(timed).to_pylist()
    found[timed.to_numpy(zero_copy_only=False)] = hours(clocks.filter(timed), name) - np.array([*map(_offset, zones)])
    return found


def _offset(zone: str) -> float:
    """Return the hours that a zone such as +05:30 is ahead of UTC."""
    return (-1 if zone[0] == "-" else 1) * (int(zone[1:3]) + int(zone[-2:]) / 60) if zone else 0.0


def days_of(values: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return typed dates and timestamps as days since 1970-01-01; NaN where missing."""
    kind = values.type
    units = 1.0 if pa.types.is_date32(kind) else _OF_DAYS["ms" if pa.types.is_date64(kind) else kind.unit]
    # As the numbers that they are stored as: between types of dates years far off, such as 9999, have no place.
    since = values.cast(pa.int32() if pa.types.is_date32(kind) else pa.int64())
    return np.asarray(compute.cast(since, pa.float64(), safe=False).to_numpy() / units, dtype=np.float64)


def _part(parts: pa.Array, field: str) -> NDArray[np.int64]:
    texts = compute.struct_field(parts, field)
    texts = compute.if_else(compute.equal(texts, ""), "0", texts)
    found: NDArray[np.int64] = compute.fill_null(texts, "0").cast(pa.int64()).to_numpy(zero_copy_only=False)
    return found
