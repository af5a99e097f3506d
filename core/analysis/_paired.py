"""Student's t for means and for paired differences, and Holm's correction for asking many questions at once."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, stdtr, stdtrit

Floats = NDArray[np.float64]

RESOLUTION = 1e-6
"""A spread below this part of the values' size is rounding, not chance: the values were computed in float32."""
CONFIDENCE = 0.95


class Summary(NamedTuple):
    """One arm's finished runs. NaN where there is no answer: the mean of nothing, the spread of one value."""

    n: int
    mean: float
    sd: float
    ci_low: float
    ci_high: float


class Comparisons(NamedTuple):
    """Every arm minus every arm, seed by seed: arrays (arms, arms), row less column, NaN where there is no answer."""

    n: NDArray[np.int64]
    difference: Floats
    ci_low: Floats
    ci_high: Floats
    p: Floats
    effect_size: Floats


def summarize(values: Floats) -> Summary:
    """Mean, sample standard deviation (0 where it is only rounding), 95 % Student t interval of the finite values."""
    x = values[np.isfinite(values)]
    n, mean, sd = _moments(x[None, :])
    sd = np.where(sd <= RESOLUTION * np.abs(x).max(initial=0.0), 0.0, sd)
    half = _half_width(n, sd)
    return Summary(int(n[0]), float(mean[0]), float(sd[0]), float(mean[0] - half[0]), float(mean[0] + half[0]))


def compare(values: Floats) -> Comparisons:
    """Paired comparison of all arms; `values` is (arms, seeds), NaN where a run has no finite result.

    A pair of arms is compared on the seeds that both finished, by the paired t test (two-sided) with its 95 %
    interval. The effect size is Cohen's d_z, mean over standard deviation of the differences, with Hedges' exact
    correction for few pairs (Hedges 1981, doi:10.3102/10769986006002107); it needs three pairs.

    Differences that do not vary have no t. They are 0 in every pair (p = 1, effect size 0), or the same in every pair:
    then the sign test, exact for any distribution, gives p = 2^(1-n), and there is no effect size.
    """
    arms = len(values)
    result = Comparisons(np.zeros((arms, arms), np.int64), *(np.full((arms, arms), np.nan) for _ in range(5)))
    for i in range(arms):
        for field, row in zip(result, _compare_one(values[i], values), strict=True):
            field[i] = row
    return result


def holm(p: Floats) -> Floats:
    """Holm's step-down adjustment of the family `p` (n,), NaN standing for a question that was not asked.

    Holm 1979, Scandinavian Journal of Statistics 6: the chance of one false rejection or more stays at the level,
    whatever the dependence between the questions.
    """
    adjusted = np.full(p.shape, np.nan)
    asked = np.flatnonzero(np.isfinite(p))
    order = asked[np.argsort(p[asked], kind="stable")]
    factors = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * factors))
    return adjusted


def _compare_one(a: Floats, others: Floats) -> Comparisons:
    with np.errstate(over="ignore", invalid="ignore"):
        d = a - others
    d[~np.isfinite(d)] = np.nan
    size = np.fmax.reduce(np.where(np.isnan(d), 0.0, np.fmax(np.abs(a), np.abs(others))), axis=1)
    n, mean, sd = _moments(d)
    flat = sd <= RESOLUTION * size
    zero = flat & (np.abs(mean) <= RESOLUTION * size)
    mean, sd = np.where(zero, 0.0, mean), np.where(flat, 0.0, sd)
    half = _half_width(n, sd)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        t = mean / (sd / np.sqrt(n))
        p = 2 * stdtr(n - 1, -np.abs(t))
        effect = mean / sd * _hedges(n)
    p = np.where(flat, np.exp2(1.0 - n), p)
    p, effect = np.where(zero, 1.0, p), np.where(zero, 0.0, np.where(flat, np.nan, effect))
    effect[n < 3] = np.nan
    return Comparisons(n, mean, mean - half, mean + half, p, effect)


def _moments(x: Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Count, mean and sample standard deviation of every row, NaN left out."""
    there = np.isfinite(x)
    n = there.sum(axis=1)
    with np.errstate(all="ignore"):
        mean = np.where(there, x, 0.0).sum(axis=1) / n
        squares = (np.where(there, x - mean[:, None], 0.0) ** 2).sum(axis=1)
        sd = np.where(n > 1, np.sqrt(squares / (n - 1)), np.nan)
    return n, mean, sd


def _half_width(n: NDArray[np.int64], sd: Floats) -> Floats:
    with np.errstate(all="ignore"):
        return np.where(n > 1, stdtrit(n - 1, (1 + CONFIDENCE) / 2) * sd / np.sqrt(n), np.nan)


def _hedges(n: NDArray[np.int64]) -> Floats:
    """J(n - 1), which takes the upward bias out of a standardised mean of n differences; 0 has no meaning below 3."""
    freedom = np.maximum(n - 1, 2).astype(np.float64)
    return np.asarray(np.exp(gammaln(freedom / 2) - gammaln((freedom - 1) / 2)) / np.sqrt(freedom / 2))
