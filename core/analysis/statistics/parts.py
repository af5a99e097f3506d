"""Means of the parts of a long series, which what `thin` keeps of it cannot give: that is its extremes."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class PartMeans(NamedTuple):
    """The means of a series' parts: the steps k * width to (k + 1) * width - 1, where it has finite points.

    Widths are powers of two and parts begin at multiples of them, so that those of two series, or of one when it was
    shorter, are parts of one another: weighted by their counts they add up to the wider.
    """

    width: int
    steps: NDArray[np.float64]
    """The mean step of each part's points."""
    values: NDArray[np.float64]
    """Their mean; infinite where their sum is."""
    counts: NDArray[np.int64]
    """The number of its finite points; others count nowhere."""


def part_means(steps: NDArray[np.int64], values: NDArray[np.floating], most: int) -> PartMeans:
    """Return the means of at most `most` parts of the points (n,), the narrowest that there can be.

    `steps` ascend and are not negative. Raises `ValueError` for fewer than one part.
    """
    if most < 1:
        raise ValueError(f"most is {most}: a series has one part at least")
    finite = np.isfinite(values)
    if not finite.all():
        steps, values = steps[finite], values[finite]
    if not len(steps):
        return PartMeans(1, np.empty(0), np.empty(0), np.empty(0, np.int64))
    width = 1
    while steps[-1] // width - steps[0] // width >= most:
        width *= 2
    place = steps // width
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    counts = np.diff(starts, append=len(steps))
    begin = place[starts] * width
    within = np.add.reduceat(steps - place * width, starts) / counts  # small, so that a late step loses no digit
    with np.errstate(over="ignore"):
        return PartMeans(width, begin + within, np.add.reduceat(values, starts) / counts, counts)
