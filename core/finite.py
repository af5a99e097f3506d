"""Numbers that JSON has: NaN and infinity become None."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def finite_or_none(value: float | None) -> float | None:
    """Return the number as a float, None where it is NaN, infinite or None."""
    return float(value) if value is not None and math.isfinite(value) else None


def finite_list(values: NDArray[np.floating]) -> list[float | None]:
    """Return the values (n,) as plain numbers, None for each that is NaN or infinite."""
    if np.isfinite(values).all():
        found: list[float | None] = values.tolist()
        return found
    return [value if math.isfinite(value) else None for value in values.tolist()]


def finite_nested(values: NDArray[np.floating]) -> list[Any]:
    """Return the values as nested lists of plain numbers, None for each that is NaN or infinite."""
    if np.isfinite(values).all() or values.ndim < 2:
        return values.tolist() if values.ndim > 1 else finite_list(values)
    return [finite_nested(part) for part in values]
