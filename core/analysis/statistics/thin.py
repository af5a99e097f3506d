"""Thins the points of a long series without losing its spikes."""

import numpy as np
from numpy.typing import NDArray


def thin(steps: NDArray[np.int64], values: NDArray[np.float64], max_points: int) -> NDArray[np.int64]:
    """Return ascending indices of at most `max_points` of the points (n,), those that a picture of the series needs.

    The first and the last point always stay. The steps between are cut into buckets of equal width; each keeps its
    smallest and its largest finite value, and its first value that is NaN or infinite. A series of at most `max_points`
    points is kept whole. `steps` ascend. Raises `ValueError` for fewer than two points.
    """
    if max_points < 2:
        raise ValueError(f"max_points is {max_points}: the first and the last point alone are 2")
    n = len(steps)
    if n <= max_points:
        return np.arange(n)
    inner = np.asarray(values[1:-1], dtype=np.float64)
    finite = np.isfinite(inner)
    kept = [np.array([0, n - 1])]
    buckets = (max_points - 2) // (2 if finite.all() else 3)
    if buckets:
        offset = np.asarray(steps[1:-1], dtype=np.int64) - steps[1]
        bucket = offset * buckets // (int(offset[-1]) + 1)
        starts = np.flatnonzero(np.diff(bucket, prepend=-1))
        sizes = np.diff(starts, append=n - 2)
        for extreme, filler in ((np.minimum, np.inf), (np.maximum, -np.inf)):
            filled = np.where(finite, inner, filler)
            extremes = np.repeat(extreme.reduceat(filled, starts), sizes)
            kept.append(_first_of_each(bucket, finite & (filled == extremes)))
        kept.append(_first_of_each(bucket, ~finite))
    return np.unique(np.concatenate(kept))


def _first_of_each(bucket: NDArray[np.int64], chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the indices in the whole series of the first chosen inner point of each bucket."""
    where = np.flatnonzero(chosen)
    return where[np.flatnonzero(np.diff(bucket[where], prepend=-1))] + 1
