"""The texts that mean a missing value."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from core.datasets._content import Column, Remarks

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL")
"""The texts that mean a missing value in every column, unless `missing_values` says others."""
AMONG_NUMBERS = (
    *("?", "-", "--", "---", "–", "—", ".", "..", "...", "None", "none", "NONE", "Null", "nil"),
    *("n/a", "na", "Na", "N.A.", "n.a.", "#N/A", "#NA", "<NA>", "NAN", "(null)", "missing", "Missing", "MISSING"),
    *("unknown", "Unknown", "UNKNOWN", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!"),
)
"""The texts that mean a missing value where all other values of a column are numbers."""
LIKE_MISSING = frozenset(AMONG_NUMBERS) - {"None", "none", "NONE"}
"""Those that a column of text is told of: there they are categories."""


def markers(given: Iterable[str] | None) -> tuple[str, ...]:
    """Return the texts that mean a missing value everywhere: those given, split at commas, and the empty one."""
    if given is None:
        return MISSING
    return tuple(dict.fromkeys(["", *(word.strip() for one in given for word in (one, *one.split(",")))]))


def blanked(values: pa.ChunkedArray, marks: Iterable[str]) -> pa.ChunkedArray:
    """Return the texts with null in the place of every marker."""
    absent = compute.is_in(values, pa.array(list(marks), values.type))
    return compute.if_else(absent, pa.scalar(None, values.type), values)


def note_imputed(
    column: Column, raw: pa.ChunkedArray, values: NDArray[np.float64], marks: Iterable[str], remarks: Remarks
) -> None:
    """Note in how many rows a column is taken for missing, by which markers, and what it becomes there."""
    absent = np.isnan(values)
    if not absent.any():
        return
    found: dict[str, int] = {}
    for one in compute.value_counts(raw.filter(pa.array(absent))).to_pylist():
        text = one["values"].strip() if isinstance(one["values"], str) else ""
        found[text] = found.get(text, 0) + int(one["counts"])
    said = [f"{repr(text[:40]) if text else 'empty'} in {count:,}" for text, count in found.items()]
    becomes = {"number": "mean", "text": "most frequent text"}.get(column.kind, "most frequent value")
    text = f"{int(absent.sum()):,} rows are taken for missing ({', '.join(said[:5])}), and get the training split's"
    named = [repr(text) for text in found if text in marks and text]
    advice = f"; if {' or '.join(named)} is a value, say missing_values without it" if named else ""
    remarks.note(f"columns.{column.name}", f"{text} {becomes}{advice}")
