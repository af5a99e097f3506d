"""Student's t for paired differences, and Holm's correction for asking many questions at once."""

from typing import NamedTuple

import numpy as np
from scipy.special import gammaln, stdtr, stdtrit

from core.analysis.statistics.intervals import ERROR, Floats, Ints, half_width, moments
from core.metrics import ROUNDING


class Comparisons(NamedTuple):
    """Every arm minus every arm, seed by seed: arrays (arms, arms), row less column, NaN where there is no answer."""

    n: Ints
    difference: Floats
    ci_low: Floats
    ci_high: Floats
    p: Floats
    effect_size: Floats
    df: Floats
    """Degrees of freedom of the t that p and the interval are of."""


class PairErrors(NamedTuple):
    """Standard errors of mean differences, and the degrees of freedom of their t, (arms, arms); NaN: the paired t's."""

    error: Floats
    df: Floats


def compare(
    values: Floats, alpha: float = ERROR, errors: PairErrors | None = None, *, rounding: float = ROUNDING
) -> Comparisons:
    """Return the paired comparisons of all arms; `values` is (arms, seeds), NaN where a run has no finite result.

    A pair of arms is compared on the seeds that both finished, by the paired t test (two-sided) with its interval, at 1
    - alpha, 95 % where nothing else is asked. The effect size is Cohen's d_z, mean over standard deviation of the
    differences, with Hedges' exact correction for few pairs (Hedges 1981, doi:10.3102/10769986006002107); it needs
    three pairs.

    Differences that do not vary have no t. They are 0 in every pair (p = 1, effect size 0), or the same in every pair:
    then the sign test, exact for any distribution, gives p = 2^(1-n), and there is no effect size.

    With `errors` p and interval of a pair whose differences vary are by those, which may know more than its seeds tell.
    """
    arms = len(values)
    result = Comparisons(np.zeros((arms, arms), np.int64), *(np.full((arms, arms), np.nan) for _ in range(6)))
    for i in range(arms):
        for field, row in zip(result, _compare_one(values[i], values, alpha, rounding), strict=True):
            field[i] = row
    return result if errors is None else _by_errors(result, errors, alpha)


def _by_errors(found: Comparisons, errors: PairErrors, alpha: float) -> Comparisons:
    known = np.isfinite(errors.error) & (found.ci_high > found.ci_low)
    error, df = np.where(known, errors.error, np.nan), np.where(known, errors.df, np.nan)
    half = -stdtrit(df, alpha / 2) * error
    with np.errstate(invalid="ignore"):
        p = 2 * stdtr(df, -np.abs(found.difference) / error)
    return found._replace(
        ci_low=np.where(known, found.difference - half, found.ci_low),
        ci_high=np.where(known, found.difference + half, found.ci_high),
        p=np.where(known, p, found.p),
        df=np.where(known, df, found.df),
    )


def holm(p: Floats, family: int | None = None) -> Floats:
    """Return Holm's step-down adjustment of the family `p` (n,), NaN standing for a question that was not asked.

    Holm 1979, Scandinavian Journal of Statistics 6: the chance of one false rejection or more stays at the level,
    whatever the dependence between the questions. `family` is the number of questions where more are asked than have
    an answer by now.
    """
    adjusted = np.full(p.shape, np.nan)
    asked = np.flatnonzero(np.isfinite(p))
    order = asked[np.argsort(p[asked], kind="stable")]
    factors = max(family or 0, len(order)) - np.arange(len(order))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * factors))
    return adjusted


def family_adjusted(p: Floats, baseline: int | None, family: int | None = None) -> Floats:
    """Return adjusted p (arms, arms): over all pairs, or, with a baseline, over the comparisons with it alone."""
    adjusted = np.full(p.shape, np.nan)
    if baseline is not None:
        asked = p[baseline].copy()
        asked[baseline] = np.nan
        adjusted[baseline] = adjusted[:, baseline] = holm(asked, family)
    else:
        pairs = np.triu_indices(len(adjusted), k=1)
        adjusted[pairs] = holm(p[pairs], family)
        adjusted.T[pairs] = adjusted[pairs]
    return adjusted


def paired_t(
    d: Floats, size: Floats, alpha: float = ERROR, *, rounding: float = ROUNDING
) -> tuple[Ints, Floats, Floats, Floats, Floats, Floats]:
    """Return n, mean, sd, half width of the interval, p and effect size of every row (rows, n) of differences.

    A spread, or a mean without spread, counts as 0 where it is only rounding of values of that `size` (rows,): below
    `rounding` of it.
    """
    n, mean, sd = moments(d)
    flat = sd <= rounding * size
    zero = flat & (np.abs(mean) <= rounding * size)
    mean, sd = np.where(zero, 0.0, mean), np.where(flat, 0.0, sd)
    half = half_width(n, sd, alpha)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        t = mean / (sd / np.sqrt(n))
        p = 2 * stdtr(n - 1, -np.abs(t))
        effect = mean / sd * _hedges(n)
    p = np.where(flat, np.exp2(1.0 - n), p)
    p, effect = np.where(zero, 1.0, p), np.where(zero, 0.0, np.where(flat, np.nan, effect))
    effect[n < 3] = np.nan
    return n, mean, sd, half, p, effect


def _compare_one(a: Floats, others: Floats, alpha: float, rounding: float) -> Comparisons:
    with np.errstate(over="ignore", invalid="ignore"):
        d = a - others
    d[~np.isfinite(d)] = np.nan
    size = np.fmax.reduce(np.where(np.isnan(d), 0.0, np.fmax(np.abs(a), np.abs(others))), axis=1)
    n, mean, _, half, p, effect = paired_t(d, size, alpha, rounding=rounding)
    return Comparisons(n, mean, mean - half, mean + half, p, effect, n.astype(np.float64) - 1)


def _hedges(n: Ints) -> Floats:
    """Return J(n - 1), which takes the upward bias out of a standardised mean of n differences; it needs n >= 3."""
    freedom = np.maximum(n - 1, 2).astype(np.float64)
    return np.asarray(np.exp(gammaln(freedom / 2) - gammaln((freedom - 1) / 2)) / np.sqrt(freedom / 2))
