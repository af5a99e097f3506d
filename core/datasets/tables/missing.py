"""The texts that mean a missing value."""

from collections.abc import Iterable

import pyarrow as pa
from pyarrow import compute

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
