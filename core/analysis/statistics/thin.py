"""Thins the points of a long series without losing its spikes."""

import numpy as np
from numpy.typing import NDArray


def thin(steps: NDArray[np.int64], values: NDArray[np.floating], max_points: int) -> NDArray[np.int64]:
    """Return ascending indices of at most `max_points` of the points (n,), those that a picture of the series needs.

    The first and the last point always stay. The steps between are cut into buckets of equal width; each keeps its
    smallest and its largest finite value, and its first value that is NaN or infinite. That is M4 (Jugel et al., VLDB
    2014) without a bucket's first and last point, in favour of twice as many buckets. A series of at most `max_points`
    points is kept whole. `steps` ascend. Raises `ValueError` for fewer than two points.
    """
    if max_points < 2:
        raise ValueError(f"max_points is {max_points}: the first and the last point alone are 2")
    n = len(steps)
    if n <= max_points:
        return np.arange(n)
    inner = values[1:-1]
    finite = np.isfinite(inner)
    whole = bool(finite.all())
    kept = [np.array([0, n - 1])]
    buckets = (max_points - 2) // (2 if whole else 3)
    if buckets:
        starts = bucket_starts(steps, buckets)
        sizes = np.diff(starts, append=n - 2)
        for extreme, filler in ((np.minimum, np.inf), (np.maximum, -np.inf)):
            filled = inner if whole else np.where(finite, inner, filler)
            chosen = filled == np.repeat(extreme.reduceat(filled, starts), sizes)
            kept.append(_first_of_each(starts, chosen if whole else chosen & finite))
        if not whole:
            kept.append(_first_of_each(starts, ~finite))
    return np.unique(np.concatenate(kept))


def bucket_starts(steps: NDArray[np.int64], buckets: int) -> NDArray[np.int64]:
    """Return where the buckets that have points begin, as indices of the points between the first and the last."""
    offset = steps[1:-1] - steps[1]
    width = int(offset[-1]) + 1
    borders = -(-np.arange(buckets, dtype=np.int64) * width // buckets)  # rounded up: the first step of each
    return np.unique(np.searchsorted(offset, borders))


def _first_of_each(starts: NDArray[np.int64], chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the indices in the whole series of the first chosen inner point of each bucket."""
    where = np.flatnonzero(chosen)
    bucket = np.searchsorted(starts, where, side="right")
    return where[np.flatnonzero(np.diff(bucket, prepend=0))] + 1
