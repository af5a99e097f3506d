"""Numbers as people and spreadsheets write them: with separators, percent signs, currencies or brackets."""

from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

Decimal = Literal[".", ","]
BATCH = 100_000
"""Texts that are looked at together: what is made of them on the way is many times their size."""
_SPACE = "'’\u00a0\u202f "
_EXPONENT = r"(?:[eE][+-]?\d+)?"
_CODES = "USD|EUR|GBP|CHF|JPY|CNY|INR|CAD|AUD|NZD|SEK|NOK|DKK|BRL|PLN|CZK|ZAR|MXN|KRW|RUB|TRY|HUF|SGD|HKD"
CURRENCY = rf"(?:[$€£¥₹₽₩]|R\$|US\$|{_CODES}|kr|Fr\.|zł)"
_TRIPLES = rf"[1-9]\d{{0,2}}(?:[.{_SPACE}]\d{{3}})+"
PLAIN = rf"^[+-]?(?:\d+\.?\d*|\.\d+){_EXPONENT}$"
WRITTEN: dict[Decimal, str] = {
    ".": rf"^[+-]?(?:[1-9]\d{{0,2}}(?:,\d{{2,3}})*,\d{{3}}|[1-9]\d{{0,2}}(?:[{_SPACE}]\d{{3}})+)(?:\.\d*)?$",
    ",": rf"^[+-]?(?:(?:\d+|{_TRIPLES}),\d+{_EXPONENT}|{_TRIPLES})$",
}
"""Numbers that are more than digits and a point, by their decimal sign."""
_GROUPS: dict[Decimal, str] = {".": f"[,{_SPACE}]", ",": f"[.{_SPACE}]"}
_BRACKETS = r"^\((.*)\)$"
_SIGNED_CURRENCY = rf"^([+-]?)\s*{CURRENCY}\s*"
_CURRENCY_AFTER = rf"\s*{CURRENCY}$"
_PERCENT = r"\s*%$"
SAID = {
    "grouped": "with separators of thousands",
    "comma": "with a decimal comma",
    "percent": "without their % (5% is 5)",
    "currency": "without their currency",
    "brackets": "negative where they stand in brackets",
    "point": "with a decimal point",
}


class Written(NamedTuple):
    """Texts read as numbers: their values, NaN for those that are none, and how they are written (see `SAID`)."""

    values: NDArray[np.float64]
    ways: frozenset[str]
    mixed: tuple[str, ...]
    """Ways that some of the numbers are written in and others not, which would change what they mean."""


def bare(texts: pa.Array) -> tuple[pa.Array, dict[str, pa.Array]]:
    """Return the texts without brackets, currency and percent sign, and which of them had each."""
    had: dict[str, pa.Array] = {}
    texts = compute.replace_substring(texts, "−", "-")
    had["brackets"] = compute.match_substring_regex(texts, r"^\(.*\d.*\)$")
    inner = compute.replace_substring_regex(texts, _BRACKETS, r"\1")
    texts = compute.if_else(had["brackets"], compute.utf8_trim_whitespace(inner), texts)
    had["percent"] = compute.match_substring_regex(texts, rf"\d{_PERCENT}")
    texts = compute.replace_substring_regex(texts, _PERCENT, "")
    had["currency"] = compute.or_(
        compute.match_substring_regex(texts, rf"{_SIGNED_CURRENCY}[+-]?[\d.]"),
        compute.match_substring_regex(texts, rf"\d{_CURRENCY_AFTER}"),
    )
    stripped = compute.replace_substring_regex(texts, _SIGNED_CURRENCY, r"\1")
    stripped = compute.replace_substring_regex(stripped, _CURRENCY_AFTER, "")
    return compute.if_else(had["currency"], stripped, texts), had


def currencies(texts: pa.Array) -> set[str]:
    """Return the currencies that the texts name."""
    found = compute.extract_regex(texts, rf"(?P<sign>{CURRENCY})")
    return set(compute.struct_field(found, "sign").drop_null().to_pylist())


def fits(plain: pa.Array, decimal: Decimal) -> pa.Array:
    """Return which of the bare texts are numbers with this decimal sign."""
    written = compute.match_substring_regex(plain, WRITTEN[decimal])
    whole = PLAIN if decimal == "." else rf"^[+-]?\d+{_EXPONENT}$"
    return compute.or_(written, compute.match_substring_regex(plain, whole))


def read_numbers(texts: pa.Array, decimal: Decimal) -> Written:
    """Read trimmed texts without nulls as numbers with this decimal sign, a batch at a time."""
    values = [np.empty(0)]
    ways: set[str] = set()
    mix = _Mix()
    for start in range(0, len(texts), BATCH):
        some = texts.slice(start, BATCH)
        plain, had = bare(some)
        good = fits(plain, decimal)
        ways |= {way for way, which in had.items() if compute.any(compute.and_(which, good)).as_py()}
        grouped = compute.match_substring_regex(plain, _GROUPS[decimal])
        for way, which in (("grouped", grouped), ("comma" if decimal == "," else "point", _has(plain, decimal))):
            if compute.any(compute.and_(which, good)).as_py():
                ways.add(way)
        values.append(_numbers(plain, good, decimal, had["brackets"]))
        mix.add(some, had, good)
    return Written(np.concatenate(values), frozenset(ways), mix.said())


def _numbers(plain: pa.Array, good: pa.Array, decimal: Decimal, negative: pa.Array) -> NDArray[np.float64]:
    digits = compute.replace_substring_regex(plain, _GROUPS[decimal], "")
    if decimal == ",":
        digits = compute.replace_substring(digits, ",", ".")
    digits = compute.replace_substring_regex(digits, r"^\+", "")
    numbers = compute.if_else(good, digits, pa.scalar(None, digits.type)).cast(pa.float64())
    values: NDArray[np.float64] = numbers.to_numpy(zero_copy_only=False).astype(np.float64)
    return np.where(negative.to_numpy(zero_copy_only=False), -np.abs(values), values)


class Signs(NamedTuple):
    """The decimal signs with which all texts are numbers that are numbers with some sign."""

    possible: frozenset[Decimal]
    example: str | None
    """A number that means two things where both are possible, such as "1,200"; None: there is none."""


def signs_of(texts: pa.Array) -> Signs:
    """Return the decimal signs that the texts allow."""
    possible: set[Decimal] = {".", ","}
    example = None
    for start in range(0, len(texts), BATCH):
        some = texts.slice(start, BATCH)
        plain, _ = bare(some)
        point, comma = fits(plain, "."), fits(plain, ",")
        either = compute.or_(point, comma)
        signs: tuple[tuple[Decimal, pa.Array], ...] = ((".", point), (",", comma))
        possible &= {s for s, good in signs if compute.all(compute.equal(good, either), min_count=0).as_py()}
        unclear = some.filter(compute.and_(either, compute.match_substring_regex(plain, "[.,]")))
        example = str(unclear[0].as_py()) if example is None and len(unclear) else example
    return Signs(frozenset(possible), example if len(possible) == 2 else None)


def is_plain_fraction(texts: pa.Array) -> bool:
    """Return True where some text is a number with a decimal point that could not be one of thousands."""
    return bool(compute.any(compute.match_substring_regex(texts, r"^[+-]?\d*\.(\d{1,2}|\d{4,})$")).as_py())


def _has(texts: pa.Array, sign: str) -> pa.Array:
    return compute.match_substring(texts, sign)


class _Mix:
    """The signs that some numbers have and others lack, over all batches; a zero needs none."""

    def __init__(self) -> None:
        self._nonzero, self._percent, self._currencies = 0, 0, set[str]()

    def add(self, texts: pa.Array, had: dict[str, pa.Array], good: pa.Array) -> None:
        nonzero = compute.and_(good, compute.match_substring_regex(texts, "[1-9]"))
        self._nonzero += compute.sum(nonzero).as_py() or 0
        self._percent += compute.sum(compute.and_(had["percent"], nonzero)).as_py() or 0
        if compute.any(compute.and_(had["currency"], nonzero)).as_py():
            self._currencies |= currencies(texts.filter(good))

    def said(self) -> tuple[str, ...]:
        found = []
        if 0 < self._percent < self._nonzero:
            found.append("some have a % and others do not")
        if len(self._currencies) > 1:
            found.append("they are in several currencies")
        return tuple(found)
