"""Columns that tell a network nothing, or too much: counters of rows, identifiers, constants."""

import re

import numpy as np
from numpy.typing import NDArray

from core.datasets._content import Column, Remarks

_UNNAMED = re.compile(r"Unnamed: ?\d+")
"""The name that pandas gives to a column without one."""
_ENOUGH = 10
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


def note_doubts(column: Column, values: NDArray[np.float64], remarks: Remarks) -> None:
    """Note a column of numbers or text that is constant, an identifier, or dates without their signs."""
    path = f"columns.{column.name}"
    known = values[~np.isnan(values)]
    if not len(known):
        return
    if known.min() == known.max():
        said = repr(column.categories[int(known[0])]) if column.kind == "text" else f"{known[0]:g}"
        remarks.note(path, f"it is {said} in every row, and tells nothing")
    if column.kind == "text":
        if len(column.categories) == len(values) >= _ENOUGH:
            remarks.note(path, "every row has another text, as an identifier has: drop it if it is one")
        return
    if column.kind != "number" or len(values) < _ENOUGH or not _whole(known):
        return
    steps = np.diff(values)
    if len(known) == len(values) and (steps == steps[0]).all() and steps[0]:
        remarks.note(path, "it counts the rows, as an index does: drop it if it is one")
    elif len(np.unique(known)) == len(values) and known.max() - known.min() > len(values):
        remarks.note(path, "every row has another whole number, as an identifier has: drop it if it is one")
    elif known.min() >= _DIGITS_OF_DATES[0] and known.max() <= _DIGITS_OF_DATES[1] and _dated(known):
        remarks.note(
            path, "its numbers look like dates such as 20200314, which are no amounts: drop it, or say categorical"
        )
    _note_marker(path, known, remarks)


def _note_marker(path: str, known: NDArray[np.float64], remarks: Remarks) -> None:
    """Note a value such as -999 that lies far from all others and is repeated."""
    distinct, counts = np.unique(known, return_counts=True)
    if len(distinct) < 4:
        return
    for value, count, rest in ((distinct[0], counts[0], distinct[1:]), (distinct[-1], counts[-1], distinct[:-1])):
        spread = rest.max() - rest.min()
        nines = set(f"{abs(value):.0f}") == {"9"} and abs(value) >= 99
        if nines and count > 1 and min(abs(value - rest.min()), abs(value - rest.max())) > spread:
            text = f"{value:g} in {count:,} rows is far from all other values: if it means a missing one, say"
            remarks.note(path, f"{text} missing_values={value:g}")


def _whole(values: NDArray[np.float64]) -> bool:
    return bool((values == np.floor(values)).all())


def _dated(values: NDArray[np.float64]) -> bool:
    month, day = values // 100 % 100, values % 100
    return bool(((month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)).all())
