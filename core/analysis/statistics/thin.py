"""Thins the points of a long series without losing its spikes."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

TOGETHER = 2**15
"""Points that are looked at together: what that takes stays in a processor's cache."""


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
    whole = bool(np.isfinite(inner).all())
    kept = [np.array([0, n - 1])]
    buckets = (max_points - 2) // (2 if whole else 3)
    if buckets:
        starts = bucket_starts(steps, buckets)
        borders = np.append(starts, n - 2)
        # A part at a time: the system takes as long to give memory of a series' size as this takes to compute.
        for at, behind in _parts(borders):
            first, last = borders[at], borders[behind]
            kept += [found + first + 1 for found in _needed(inner[first:last], borders[at:behind] - first, whole)]
    return np.unique(np.concatenate(kept))


def bucket_starts(steps: NDArray[np.int64], buckets: int) -> NDArray[np.int64]:
    """Return where the buckets that have points begin, as indices of the points between the first and the last."""
    first = int(steps[1])
    width = int(steps[-2]) - first + 1
    borders = -(-np.arange(buckets, dtype=np.int64) * width // buckets)  # rounded up: the first step of each
    return np.unique(np.searchsorted(steps[1:-1], borders + first))


def _parts(borders: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield the first bucket, and the one behind the last, of parts that have some `TOGETHER` points each."""
    at, last = 0, len(borders) - 1
    while at < last:
        behind = int(np.searchsorted(borders, borders[at] + TOGETHER))
        behind = min(max(behind, at + 1), last)
        yield at, behind
        at = behind


def _needed(values: NDArray[np.floating], starts: NDArray[np.int64], whole: bool) -> Iterator[NDArray[np.int64]]:
    """Yield the indices of what each bucket keeps: its first smallest, its first largest, its first not finite."""
    finite = None if whole else np.isfinite(values)
    sizes = np.diff(starts, append=len(values))
    for extreme, filler in ((np.minimum, np.inf), (np.maximum, -np.inf)):
        filled = values if finite is None else np.where(finite, values, filler)
        chosen = filled == np.repeat(extreme.reduceat(filled, starts), sizes)
        yield _first_of_each(starts, chosen if finite is None else chosen & finite)
    if finite is not None:
        yield _first_of_each(starts, ~finite)


def _first_of_each(starts: NDArray[np.int64], chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the index of the first chosen point of each bucket that has one."""
    where = np.flatnonzero(chosen)
    bucket = np.searchsorted(starts, where, side="right")
    return where[np.flatnonzero(np.diff(bucket, prepend=0))]
