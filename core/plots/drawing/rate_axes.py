"""The axes of a picture of learning rates."""

import statistics
from collections.abc import Sequence
from typing import Any

from core.plots.drawing.extents import extent
from core.plots.drawing.frames import padded, padded_log

LOG_FROM, MOSTLY_LOW = 100.0, 0.2
"""Ratios of largest to smallest rate, and middle to largest: a cosine that only ends near zero stays linear."""


def rate_axis(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the axis of rates: logarithmic where all are positive, span more than two decades and are mostly low."""
    y: dict[str, Any] = {"label": "learning rate", "scale": "linear", "kind": "number", "limits": (0.0, 1.0)}
    found = extent(lines)
    if found is None:
        return y
    low, _, high = found
    middle = statistics.median(rate for line in lines for rate in line["y"] if rate is not None)
    if low > 0 and high / low > LOG_FROM and middle < MOSTLY_LOW * high:
        return y | {"scale": "log", "limits": padded_log(low, high)}
    return y | {"limits": padded(0.0, high)}


def update_axis(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the axis of updates, from 0 to the last of any line."""
    last = max([line["x"][-1] for line in lines if line["x"]], default=1)
    return {"label": "update (from 0)", "scale": "linear", "kind": "count", "limits": padded(0, last, 0.015)}
