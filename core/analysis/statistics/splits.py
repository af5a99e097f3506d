"""Standard errors of a mean difference that know of the split: of splits that vary, and of one split's examples."""

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.analysis.statistics.intervals import Floats, Ints, Summary
from core.analysis.statistics.paired import PairErrors


class MeanError(NamedTuple):
    """The standard error of a mean, and the degrees of freedom of its t."""

    error: float
    df: float


def resampled_factor(n: Ints | int, held_out: int, train: int) -> Floats:
    """Return how many times larger the standard error is of n splits of one data set than of n data sets.

    sqrt((1/n + held_out / train) / (1/n)), the corrected resampled t of Nadeau & Bengio 2003,
    doi:10.1023/A:1024068626366: training splits overlap, so that outcomes of n seeds with a split each are not n
    independent ones. df stay n - 1. One held out to four trained on, and 5 or 10 seeds: 1.5, 1.87.
    """
    return np.asarray(np.sqrt(1 + np.asarray(n, dtype=np.float64) * (held_out / train)))


def over_splits(found: Sequence[Summary], ratios: Floats) -> list[Summary]:
    """Return summaries of arms whose intervals allow for what splits share: `resampled_factor` times as wide.

    `ratios` (arms,) are examples held out over those trained on.
    """
    factors = np.sqrt(1 + np.array([one.n for one in found]) * ratios).tolist()
    return [
        one._replace(ci_low=one.mean - k * (one.mean - one.ci_low), ci_high=one.mean + k * (one.ci_high - one.mean))
        for one, k in zip(found, factors, strict=True)
    ]


def resampled_errors(values: Floats, ratios: Floats) -> PairErrors:
    """Return the errors of all pairs of arms by `resampled_factor`.

    `values` is (arms, seeds), NaN where a run has none; `ratios` (arms,) are examples held out over those trained on,
    of which a pair has the larger.
    """
    d = values[:, None] - values
    d[~np.isfinite(d)] = np.nan
    n = np.isfinite(d).sum(axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt(np.nansum((d - _means(d)[..., None]) ** 2, axis=2) / (n - 1))
        error = spread * np.sqrt(1 / n + np.maximum(ratios[:, None], ratios))
    return PairErrors(np.where(n > 1, error, np.nan), np.where(n > 1, n - 1.0, np.nan))


def two_way_errors(right: Mapping[tuple[int, int], NDArray[np.bool_]], arms: int, seeds: int) -> PairErrors:
    """Return the errors of all pairs of arms by `two_way_error`, of the seeds on which both have a value.

    `right` has, by (arm, seed), which examples that run got right, (m,). NaN for pairs of fewer than two seeds.
    """
    found = PairErrors(np.full((arms, arms), np.nan), np.full((arms, arms), np.nan))
    for i, j in itertools.combinations(range(arms), 2):
        both = [seed for seed in range(seeds) if (i, seed) in right and (j, seed) in right]
        if len(both) < 2 or len(right[i, both[0]]) < 2:
            continue
        d = np.array([right[i, seed].astype(np.int8) - right[j, seed] for seed in both])
        for field, value in zip(found, two_way_error(d), strict=True):
            field[i, j] = field[j, i] = value
    return found


def _means(d: Floats) -> Floats:
    n = np.isfinite(d).sum(axis=2)
    return np.asarray(np.nansum(d, axis=2) / np.maximum(n, 1))


def two_way_error(differences: Floats | NDArray[np.int8]) -> MeanError:
    """Return the error of the mean of differences (seeds, examples) that both seeds and examples are drawn for.

    V = s_r²/n + s_c²/m - MSE/(nm), of the variances of the n seeds' and of the m examples' means and the mean square of
    what is left, unbiased under crossed random effects of seeds and examples (Owen 2007, doi:10.1214/07-AOAS122; the
    ANOVA estimate of Cornfield & Tukey 1956); never below s_r²/n, that of seeds alone. df by Satterthwaite 1946. Raises
    ValueError for fewer than two seeds or examples.
    """
    n, m = differences.shape
    if n < 2 or m < 2:
        raise ValueError(f"two-way errors need two seeds and two examples, not {n} and {m}")
    d = differences.astype(np.float64)
    rows, columns = d.mean(axis=1), d.mean(axis=0)
    by_seed, by_example = rows.var(ddof=1), columns.var(ddof=1)
    squares = d.var() * n * m - by_seed * (n - 1) * m - by_example * (m - 1) * n
    left = max(0.0, squares) / ((n - 1) * (m - 1))
    of_seeds, of_examples, of_rest = by_seed / n, by_example / m, left / (n * m)
    variance = of_seeds + of_examples - of_rest
    if variance <= of_seeds:
        return MeanError(float(np.sqrt(of_seeds)), n - 1.0)
    freedom = of_seeds**2 / (n - 1) + of_examples**2 / (m - 1) + of_rest**2 / ((n - 1) * (m - 1))
    return MeanError(float(np.sqrt(variance)), float(variance**2 / freedom))
