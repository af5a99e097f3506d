"""Columns that tell a network nothing, or too much: counters of rows, identifiers, constants."""

import re
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.datasets._content import Column, Remarks

_UNNAMED = re.compile(r"Unnamed: ?\d+")
"""The name that pandas gives to a column without one."""
_ENOUGH = 10
_FIRST = 1_000
"""Rows that tell of most columns that they are no identifiers."""
_SHOWN = 5
Doubt = Literal["constant", "counter", "identifier"]
SAID: dict[Doubt | None, str] = {
    "counter": "it counts the rows, as an index does",
    "identifier": "every row has another whole number, as an identifier has",
}
_DIGITS_OF_DATES = (19_000_101, 21_001_231)


def is_index(name: str, values: NDArray[np.float64], *, unnamed: bool) -> bool:
    """Return True for the numbers of rows in a column that pandas or R left without a name.

    In the first column they are in any order, as those of shuffled rows are; in others they rise.
    """
    nameless = unnamed or _UNNAMED.fullmatch(name) is not None
    if not nameless or len(values) < 2 or not _whole(values):
        return False
    first = name in ("column_1", "Unnamed: 0")
    return bool((np.diff(np.sort(values) if first else values) > 0).all())


def doubt_of(values: NDArray[np.float64]) -> Doubt | None:
    """Return what numbers (n,) are that tell a network nothing, or too much; None for others."""
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    if known.min() == known.max():
        return "constant"
    if len(known) < _ENOUGH or not _whole(known) or len(np.unique(known[:_FIRST])) < min(_FIRST, len(known)):
        return None
    steps = np.diff(known)
    if (steps == steps[0]).all():
        return "counter"
    return "identifier" if len(np.unique(known)) == len(known) else None


def note_doubts(column: Column, values: NDArray[np.float64], remarks: Remarks) -> None:
    """Note a column of numbers or text that is constant, an identifier, or dates without their signs."""
    path = f"columns.{column.name}"
    known = values[~np.isnan(values)]
    doubt = doubt_of(values)
    if doubt == "constant":
        said = repr(column.categories[int(known[0])]) if column.kind == "text" else f"{known[0]:g}"
        remarks.note(path, f"it is {said} in every row, and tells nothing")
    if column.kind == "text" and len(column.categories) == len(values) >= _ENOUGH:
        remarks.note(path, "every row has another text, as an identifier has: drop it if it is one")
    if column.kind != "number" or len(known) < _ENOUGH:
        return
    if _whole(known) and known.min() >= _DIGITS_OF_DATES[0] and known.max() <= _DIGITS_OF_DATES[1] and _dated(known):
        remarks.note(
            path, "its numbers look like dates such as 20200314, which are no amounts: drop it, or say categorical"
        )
    elif doubt in SAID:
        remarks.note(path, f"{SAID[doubt]}: drop it if it is one")
    _note_marker(path, known, remarks)


def note_array(name: str, values: NDArray[Any], remarks: Remarks) -> None:
    """Note the columns of rows of numbers (n, k) that are constant, counters or identifiers: each kind once."""
    found: dict[Doubt, list[int]] = {}
    for i in range(values.shape[1]):
        doubt = doubt_of(values[:, i].astype(np.float64))
        if doubt is not None:
            found.setdefault(doubt, []).append(i)
    for doubt, columns in found.items():
        shown = ", ".join(f"{name}[:, {i}]" for i in columns[:_SHOWN])
        more = f" and {len(columns) - _SHOWN:,} more" if len(columns) > _SHOWN else ""
        said = f"{SAID[doubt]}: leave it out if it is one" if doubt in SAID else "is one number in every row"
        remarks.note("file", f"{shown}{more}: {said}")


def _note_marker(path: str, known: NDArray[np.float64], remarks: Remarks) -> None:
    """Note a value such as -999 that lies far from all others and is repeated."""
    for value in (known.min(), known.max()):
        if value != np.floor(value) or abs(value) < 99 or set(f"{abs(value):.0f}") != {"9"}:
            continue
        rest = known[known != value]
        count = len(known) - len(rest)
        if count < 2 or len(np.unique(rest)) < 3:
            continue
        if min(abs(value - rest.min()), abs(value - rest.max())) > rest.max() - rest.min():
            text = f"{value:g} in {count:,} rows is far from all other values: if it means a missing one, say"
            remarks.note(path, f"{text} missing_values={value:g}")


def _whole(values: NDArray[np.float64]) -> bool:
    return bool((values == np.floor(values)).all())


def _dated(values: NDArray[np.float64]) -> bool:
    month, day = values // 100 % 100, values % 100
    return bool(((month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)).all())
