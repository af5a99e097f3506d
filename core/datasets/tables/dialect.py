"""The separator of a delimited text, and whether its first row is a header."""

import csv
import re
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from core.datasets._content import InvalidUpload
from core.datasets._options import SEPARATORS
from core.datasets.tables.raw import is_number

CANDIDATES = (",", ";", "\t", "|")
NAMES = {sign: name for name, sign in SEPARATORS.items()}
SAMPLE_ROWS = 100
_SIGNS = re.compile(r"[^\w\s\"'.()\[\]%-]|\t")
"""Signs that separate values more often than they are part of a column's name."""


class _Split(NamedTuple):
    """The sample as one separator splits it."""

    separator: str
    header: list[str]
    consistent: bool
    """Every row has as many values as the first, and more than one."""


def separator_of(lines: Sequence[str], named: Sequence[str]) -> str:
    """Return the separator of a text by its first lines; `named` are column names that the options give.

    That with which every row has as many values as the header; where several do, that which finds the names. Raises
    `InvalidUpload` where it is unclear.
    """
    splits = [_split(lines, sign) for sign in CANDIDATES]
    sound = [split for split in splits if split.consistent]
    if not sound:
        spaces = _split(lines, " ")
        wide = [split for split in splits if len(split.header) > 1]
        if not wide and spaces.consistent:
            return " "
        return max(wide, key=lambda split: (_found(split, named), len(split.header))).separator if wide else ","
    if len(sound) > 1:
        most = max(_found(split, named) for split in sound)
        sound = [split for split in sound if _found(split, named) == most]
    if len(sound) > 1:
        words = " or ".join(NAMES[split.separator] for split in sound)
        raise InvalidUpload(f"the values may be separated by {words}: say which", "separator")
    return sound[0].separator


def directive(line: str) -> str | None:
    """Return the separator that a first line such as `sep=;` names, as spreadsheets write it; None for another line."""
    text = line.rstrip("\r\n").strip('"')
    return text[4] if len(text) == 5 and text[:4].lower() == "sep=" else None


def separator_hint(names: Sequence[str]) -> str | None:
    """Return the option for a table whose only column has signs in its name that may separate several; else None."""
    signs = _SIGNS.findall(names[0]) if len(names) == 1 else []
    if not signs:
        return None
    sign = max(signs, key=lambda one: (one in CANDIDATES, signs.count(one)))
    named = f"a {NAMES[sign]}" if sign in NAMES else repr(sign)
    return f"if {named} separates the values, say separator={NAMES.get(sign, sign)}"


def looks_like_data(first: Sequence[str]) -> bool:
    """Return True where a first row has a number among its values, which names of columns seldom are."""
    return any(is_number(text) for text in first if text)


def _split(lines: Sequence[str], sign: str) -> _Split:
    try:
        rows = [row for row in islice(csv.reader(lines, delimiter=sign, skipinitialspace=True), SAMPLE_ROWS) if row]
    except csv.Error:
        rows = []
    if not rows:
        return _Split(sign, [], consistent=False)
    # A separator after the last value makes one more, and the last record of a sample may be cut.
    widths = {len(row) - (len(row) == len(rows[0]) + 1 and not row[-1]) for row in rows[:-1] or rows}
    return _Split(sign, [name.strip() for name in rows[0]], len(rows[0]) > 1 and widths == {len(rows[0])})


def _found(split: _Split, named: Sequence[str]) -> int:
    return len(set(named) & set(split.header))
