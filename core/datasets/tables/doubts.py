"""Notes on texts: digits that look like codes, dates or thousands, and categories that look like numbers."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from core.datasets._content import InvalidUpload, Remarks
from core.datasets._targets import FEW
from core.datasets.tables.missing import LIKE_MISSING

_LIKE_NUMBERS = r"^[^\w]{0,3}\p{Nd}"
_LIKE_DAYS = r"^(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$"


def doubt_digits(name: str, head: pa.ChunkedArray, remarks: Remarks, *, numeric: bool) -> None:
    """Note numbers that look like days; unless they are said to be `numeric`, those like codes or thousands too."""
    path = f"columns.{name}"
    if len(head) and compute.all(compute.match_substring_regex(head, _LIKE_DAYS)).as_py():
        text = f"its values, such as {head[0].as_py()}, look like dates, and are read as numbers"
        remarks.note(path, f"{text}: write 2020-03-14, and numeric={name}, for days")
    if numeric:
        return
    if compute.any(compute.match_substring_regex(head, r"^0\d+$")).as_py():
        text = "its values begin with 0, as codes do, and are read as numbers: if they are codes, say categorical"
        remarks.note(path, f"{text}={name}")
    pointed = head.filter(compute.match_substring(head, "."))
    if len(pointed) and compute.all(compute.match_substring_regex(pointed, r"^[+-]?[1-9]\d{0,2}\.\d{3}$")).as_py():
        text = f"every fraction has three digits, such as {pointed[0].as_py()}, and is read with a decimal point"
        remarks.note(path, f"{text}: if the point separates thousands, say decimal=,")


def doubt_categories(name: str, found: list[str], counts: NDArray[np.int64], remarks: Remarks, *, target: bool) -> None:
    """Note categories that look like missing values or numbers; raises `InvalidUpload` for classes of the latter."""
    path = f"columns.{name}"
    marked = [text for text in found if text in LIKE_MISSING]
    if marked:
        said = ", ".join(map(repr, marked))
        text = f"{said} in {int(counts[[found.index(m) for m in marked]].sum()):,} rows is a category of its own"
        remarks.note(path, f"{text}: if it means a missing value, say missing_values={marked[0]}")
    measured = compute.match_substring_regex(pa.array(found), _LIKE_NUMBERS).to_numpy(zero_copy_only=False)
    if 2 * measured.sum() > len(found):
        text = f"values such as {found[int(np.argmax(measured))]!r} begin like numbers"
        if target and len(found) > FEW:
            raise InvalidUpload(
                f"target {name!r}: {len(found):,} {text}, and are none: write numbers alone if they are "
                "amounts, or name it in `categorical` if they are classes",
                "target",
            )
        remarks.note(path, f"{text}, and are categories here: write numbers alone if they are amounts")
