"""Values of lines, and how far they reach."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

Line = dict[str, Any]


def values_of(line: Line) -> list[float]:
    """Return what a line shows, without gaps: its points, and those that it smooths."""
    parts = (line["y"], line["raw"]["y"] if line.get("raw") else [])
    return [v for part in parts for v in part if v is not None]


def extent(lines: Iterable[Line]) -> tuple[float, float, float] | None:
    """Return the smallest, smallest positive (NaN: none) and largest value of the lines; None without values."""
    values = np.array([v for line in lines for v in values_of(line)], dtype=np.float64)
    if not len(values):
        return None
    positive = values[values > 0]
    return float(values.min()), float(positive.min()) if len(positive) else math.nan, float(values.max())
