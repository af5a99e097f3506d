"""Times of day as hours since midnight."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from core.datasets._content import InvalidUpload

CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s*[AaPp]\.?[Mm]\.?)?"
_PARTS = r"^(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d+))?)?\s*(?P<half>[AaPp]?).*$"
_OF_HOURS = {"s": 3.6e3, "ms": 3.6e6, "us": 3.6e9, "ns": 3.6e12}
SAID = "its times of day are hours since midnight (14:30 is 14.5)"


def are_times(texts: pa.Array) -> pa.Array:
    """Return which of the texts are times of day without a date."""
    return compute.match_substring_regex(texts, rf"^{CLOCK}$")


def hours(texts: pa.Array, name: str) -> NDArray[np.float64]:
    """Return times of day as hours since midnight; raises `InvalidUpload` where that is unclear.

    They are of a clock of 24 hours, or all of one of 12 hours that says am or pm.
    """
    parts = compute.extract_regex(texts, _PARTS)
    h, m, s = (_number(parts, field) for field in "hms")
    fractions = compute.struct_field(parts, "f")
    zeros = pa.array(["0"] * len(fractions))
    s = s + compute.binary_join_element_wise(zeros, compute.fill_null(fractions, ""), ".").cast(pa.float64()).to_numpy()
    half = compute.utf8_lower(compute.struct_field(parts, "half")).to_numpy(zero_copy_only=False).astype(str)
    marked = half != ""
    if marked.any() and not marked.all():
        some, other = (str(texts[int(np.argmax(which))].as_py()) for which in (marked, ~marked))
        raise InvalidUpload(f"column {name!r}: {some!r} says am or pm, {other!r} does not: write them alike", "numeric")
    wrong = (m > 59) | (s >= 61) | np.where(marked, (h < 1) | (h > 12), h > 23)
    if wrong.any():
        text = str(texts[int(np.argmax(wrong))].as_py())
        raise InvalidUpload(
            f"column {name!r}: {text!r} is no time of day such as 14:30; write durations as numbers", "numeric"
        )
    h = np.where(marked, h % 12 + 12 * (half == "p"), h)
    return np.asarray(h + m / 60 + s / 3600, dtype=np.float64)


def hours_of(values: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return typed times of day as hours since midnight; NaN where missing."""
    since = values.cast(pa.int32() if pa.types.is_time32(values.type) else pa.int64())
    found: NDArray[np.float64] = compute.cast(since, pa.float64(), safe=False).to_numpy() / _OF_HOURS[values.type.unit]
    return found


def _number(parts: pa.Array, field: str) -> NDArray[np.float64]:
    texts = compute.struct_field(parts, field)
    texts = compute.if_else(compute.equal(texts, ""), "0", texts)
    found: NDArray[np.float64] = compute.fill_null(texts, "0").cast(pa.float64()).to_numpy(zero_copy_only=False)
    return found
