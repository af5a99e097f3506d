"""Summaries of the runs of an arm: mean, spread, and an interval that holds for few runs."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtrit

from core.metrics import ROUNDING

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CONFIDENCE = 0.95
ERROR = 0.05
"""The chance that an interval at 95 % misses. Levels are given as errors: 1 - 1e-17 is 1, and has no quantile."""
BOOTSTRAP_FROM = 10
"""Runs from which the interval is the bootstrap's: below, ten values at most tell too little about their shape."""
RESAMPLES = 4_999
_SEED = 20_261_125
_ROWS = 512
"""Rows resampled at once, 20 MB."""


class Summary(NamedTuple):
    """One arm's finished runs. NaN where there is no answer: the mean of nothing, the spread of one value."""

    n: int
    mean: float
    sd: float
    ci_low: float
    ci_high: float
    median: float
    iqm: float
    """The mean of the middle half: a quarter of the values, rounded down, is left out at each end."""
    interval: Literal["t", "bca"] | None
    """The method by which `ci_low` and `ci_high` were found."""


def summarize(values: Floats) -> Summary:
    """Return the summary of the finite ones of `values` (n,): see `summaries`."""
    return summaries(values[None, :])[0]


def summaries(values: Floats, error: float = ERROR, *, rounding: float | Floats = ROUNDING) -> list[Summary]:
    """Return summaries of the finite values of every row (rows, n).

    The standard deviation is the sample's, 0 where it is only rounding: below `rounding` of the values' size, a number
    or (rows,). The interval, at 95 % if nothing else is asked, else at 1 - `error`, is Student's t below ten values.
    From ten on it is the bias-corrected and accelerated bootstrap of the mean (BCa; Efron 1987,
    doi:10.1080/01621459.1987.10478410), which follows skewed values. Its level is expanded (Hesterberg 2015,
    doi:10.1080/00031305.2015.1089789): a sample's spread is too narrow by sqrt((n - 1) / n), and the normal quantile of
    the bootstrap by what Student's is longer. The resamples are the same for every row of n values, and always.
    """
    n, mean, sd = moments(values)
    size = np.fmax.reduce(np.abs(np.where(np.isfinite(values), values, np.nan)), axis=1, initial=0.0)
    sd = np.where(sd <= rounding * size, 0.0, sd)
    half = half_width(n, sd, error)
    low, high = mean - half, mean + half
    median, iqm = np.full(len(n), np.nan), np.full(len(n), np.nan)
    for count, rows, x in _by_count(values, n):
        median[rows], iqm[rows] = np.median(x, axis=1), x[:, count // 4 : count - count // 4].mean(axis=1)
        if count >= BOOTSTRAP_FROM:
            varied = sd[rows] > 0
            low[rows[varied]], high[rows[varied]] = bca(x[varied], expanded(count, error))
    return [
        Summary(
            *(int(n[i]), float(mean[i]), float(sd[i]), float(low[i]), float(high[i]), float(median[i]), float(iqm[i])),
            interval=None if n[i] < 2 else "bca" if n[i] >= BOOTSTRAP_FROM else "t",
        )
        for i in range(len(n))
    ]


def moments(x: Floats) -> tuple[Ints, Floats, Floats]:
    """Return count, mean and sample standard deviation of every row, what is not finite left out."""
    there = np.isfinite(x)
    n = there.sum(axis=1)
    with np.errstate(all="ignore"):
        mean = np.where(there, x, 0.0).sum(axis=1) / n
        away = np.where(there, x - mean[:, None], 0.0)
        _, size = np.frexp(np.abs(away).max(axis=1, initial=0.0))  # so that the squares of 1e200 are numbers
        squares = (np.ldexp(away, -size[:, None]) ** 2).sum(axis=1)
        sd = np.where(n > 1, np.ldexp(np.sqrt(squares / (n - 1)), size), np.nan)
    return n, mean, sd


def half_width(n: Ints, sd: Floats, error: float = ERROR) -> Floats:
    """Return half the width of Student's t interval for the mean of n values."""
    with np.errstate(all="ignore"):
        return np.where(n > 1, -stdtrit(n - 1, error / 2) * sd / np.sqrt(n), np.nan)


def resampled(n: int) -> Floats:
    """Return the share of each of n values in every bootstrap resample (resamples, n)."""
    return np.asarray(_drawn(n) / n)


@lru_cache(maxsize=32)
def _drawn(n: int) -> NDArray[np.uint8]:
    drawn = np.random.default_rng(_SEED).multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    return drawn.astype(np.uint8)  # a thousand values keep 5 MB; none is drawn 256 times


def _by_count(values: Floats, n: Ints) -> Iterator[tuple[int, Ints, Floats]]:
    """Yield the rows that have the same number of finite values, and those values (rows, count), sorted."""
    ordered = np.sort(np.where(np.isfinite(values), values, np.nan), axis=1)  # NaN last
    for count in np.unique(n[n > 0]).tolist():
        rows = np.flatnonzero(n == count)
        for part in np.array_split(rows, -(-len(rows) // _ROWS)):
            yield count, part, ordered[part, :count]


def bca(x: Floats, z: float) -> tuple[Floats, Floats]:
    """Return the BCa bounds of the mean of every row (rows, n), none of which is all the same value.

    `z` is the normal quantile of the level: 1.96 for a plain 95 % interval.
    """
    mean = x.mean(axis=1, keepdims=True)
    means = np.sort(x @ resampled(x.shape[1]).T, axis=1)
    near = 1e-12 * np.abs(x).max(axis=1, keepdims=True)
    below = ((means < mean - near).sum(axis=1) + (means <= mean + near).sum(axis=1)) / (2 * RESAMPLES)
    bias = ndtri(below)
    d = x - mean
    acceleration = (d**3).sum(axis=1) / (6 * (d**2).sum(axis=1) ** 1.5)
    low, high = (_quantile(means, ndtr(_corrected(bias, acceleration, side))) for side in (-z, z))
    return low, high


def _corrected(bias: Floats, acceleration: Floats, side: float) -> Floats:
    """Return the normal quantiles of BCa for one side: beyond where the correction turns round, that of no end."""
    moved = bias + side
    left = 1 - acceleration * moved
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(left > 0, bias + moved / left, np.copysign(np.inf, side))


def expanded(n: int, error: float = ERROR) -> float:
    """Return the normal quantile of a bootstrap interval for the mean of n values (Hesterberg 2015)."""
    return float(np.sqrt(n / (n - 1)) * -stdtrit(n - 1, error / 2))


def _quantile(ordered: Floats, p: Floats) -> Floats:
    """Return the quantile `p` (rows,) of every sorted row, interpolated; its end where `p` is beyond all numbers."""
    place = p * (ordered.shape[1] - 1)
    under = np.floor(place).astype(np.int64)
    over = np.minimum(under + 1, ordered.shape[1] - 1)
    rows = np.arange(len(ordered))
    return np.asarray(ordered[rows, under] * (1 - place + under) + ordered[rows, over] * (place - under))
