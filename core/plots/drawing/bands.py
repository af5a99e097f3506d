"""Ends of intervals as pictures draw them, and the room that bands have on an axis."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.finite import finite_or_none
from core.metrics import Measure

SHARE = (0.0, 1.0)
"""Values that a share can have: an interval that is wider by its method ends there."""
ANY = (-math.inf, math.inf)
ROOM = 0.5
"""Part of an axis that bands may add at each of its ends: beyond, the lines would be too small to read."""
_BEYOND = "A band that ends at the picture's edge goes on beyond it."


def bounds_of(metric: Measure) -> tuple[float, float]:
    """Return what values of a metric can be, as far as its intervals are concerned."""
    return SHARE if metric.share else ANY


def ends(
    values: NDArray[np.float64], low: float | None, high: float | None, within: tuple[float, float] = ANY
) -> tuple[float | None, float | None]:
    """Return the ends to draw of the interval of the mean of `values` (n,): of two runs these, else what is possible.

    Student's t says of two runs next to nothing: its interval is thirteen times as wide as they are apart.
    """
    known = values[np.isfinite(values)]
    if len(known) == 2:
        return float(known.min()), float(known.max())
    if low is None or high is None or not math.isfinite(low):
        return None, finite_or_none(high)
    return max(low, within[0]), finite_or_none(min(high, within[1]))


def about_ends(counts: Sequence[int], share: bool) -> str:
    """Return what a caption says behind the method of intervals, of so many runs each."""
    words = ["; of two runs their range"] if 2 in counts else []
    return "".join([*words, "; within 0 and 100 %"] if share and any(n > 2 for n in counts) else words)


def with_room(lines: Sequence[dict[str, Any]], low: float, high: float) -> tuple[float, float]:
    """Return the ends of a linear axis on which the bands of these lines have room too, as far as that can be."""
    found = [v for line in lines if line["role"] != "diverged" for v in _ends_of(line)]
    room = ROOM * (high - low)
    return min(low, max(min(found, default=low), low - room)), max(high, min(max(found, default=high), high + room))


def with_cut_bands(data: dict[str, Any]) -> dict[str, Any]:
    """Return a picture's data, whose caption says so where a band is wider than its axis."""
    panels = [panel for panel in data.get("panels", []) if panel.get("y", {}).get("limits")]
    cut = any(_is_cut(panel["y"], line) for panel in panels for line in panel.get("lines", []))
    return data | {"caption": f"{data['caption']} {_BEYOND}"} if cut else data


def _is_cut(axis: dict[str, Any], line: dict[str, Any]) -> bool:
    low, high = axis["limits"]
    if axis["scale"] == "log":
        return any(v < low or v > high for v in _ends_of(line) if v > 0)
    slack = 1e-9 * (high - low)
    return any(v < low - slack or v > high + slack for v in _ends_of(line))


def _ends_of(line: dict[str, Any]) -> Iterator[float]:
    for end in ("low", "high"):
        yield from (v for v in line.get(end) or () if v is not None)
