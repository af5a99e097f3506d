"""Who claims that an arm beats another: initlab's verdict, and what others do with the same runs.

Each takes experiments (experiments, arms, seeds) and returns who beats whom, (experiments, arms, arms), row over
column, where more is better.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from laws import Floats
from numpy.typing import NDArray
from scipy import stats
from scipy.special import stdtr, stdtrit

from core.analysis.statistics.decisions import DecisionRule, Decisions, decide
from core.analysis.statistics.paired import paired_t

Claims = NDArray[np.bool_]
RESAMPLES = 1_000
LEVEL = 0.05


class Verdicts(NamedTuple):
    """The verdicts about many experiments, (experiments, arms, arms), row against column."""

    beats: Claims
    equivalent: Claims
    own_low: Floats
    own_high: Floats
    """Intervals of the differences, each for itself."""
    low: Floats
    high: Floats
    """Intervals that hold together, NaN where t does not decide."""


def verdicts(x: Floats, margin: float | None = None) -> Verdicts:
    """Return what `decide` does about every experiment, of runs none of which was lost.

    Of all experiments at once, a thousand times as fast: the paired t is the report's function, and of the first 50
    experiments everything is compared with `decide` itself.
    """
    experiments, arms, n = x.shape
    i, j = np.triu_indices(arms, k=1)
    a, b = (x[:, side].reshape(-1, n) for side in (i, j))
    _, mean, sd, half, p, _ = paired_t(a - b, np.maximum(np.abs(a), np.abs(b)).max(axis=1))
    flat = (sd == 0) & (mean != 0)
    p = np.where(flat & (a == a[:, :1]).all(axis=1), 2.0 * 4.0**-n, p)
    adjusted = _holm(p.reshape(experiments, -1))
    away = np.full(p.shape, -np.inf) if margin is None else margin - np.abs(mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        one_sided = np.where(sd > 0, stdtr(n - 1, -away / (sd / np.sqrt(n))), np.where(away > 0, 2.0**-n, 1.0))
    equivalent = _holm(one_sided.reshape(experiments, -1)) < LEVEL
    won = (adjusted < LEVEL) & ~equivalent
    wide = stdtrit(n - 1, 1 - LEVEL / 2 / len(i)) * sd / np.sqrt(n)
    wide[flat] = np.nan
    mean, half, wide = (one.reshape(experiments, -1) for one in (mean, half, wide))
    made = Verdicts(
        beats=_square(won & (mean > 0), won & (mean < 0), arms),
        equivalent=_square(equivalent, equivalent, arms),
        own_low=_square(mean - half, -mean - half, arms),
        own_high=_square(mean + half, -mean + half, arms),
        low=_square(mean - wide, -mean - wide, arms),
        high=_square(mean + wide, -mean + wide, arms),
    )
    _check(x[:50], margin, made)
    return made


def _holm(p: Floats) -> Floats:
    """Return Holm's adjustment of every row."""
    order = np.argsort(p, axis=1, kind="stable")
    stepped = np.maximum.accumulate(np.take_along_axis(p, order, 1) * (p.shape[1] - np.arange(p.shape[1])), axis=1)
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, np.minimum(1.0, stepped), 1)
    return adjusted


def _square(upper: NDArray[Any], lower: NDArray[Any], arms: int) -> NDArray[Any]:
    """Return what is known of pairs (experiments, pairs) as (experiments, arms, arms)."""
    found = np.zeros((len(upper), arms, arms), dtype=upper.dtype)
    i, j = np.triu_indices(arms, k=1)
    found[:, i, j], found[:, j, i] = upper, lower
    return found


def _check(x: Floats, margin: float | None, made: Verdicts) -> None:
    for e, one in enumerate(decisions(x, margin=margin)):
        same = (one.beats == made.beats[e]).all() and ((one.decision == "equivalent") == made.equivalent[e]).all()
        off = ~np.eye(len(one.beats), dtype=bool)
        for mine, theirs in (
            (made.low[e], one.ci_low),
            (made.high[e], one.ci_high),
            (made.own_low[e], one.found.ci_low),
        ):
            same = same and np.allclose(mine[off], theirs[off], equal_nan=True)
        if not same:
            raise AssertionError(f"decide says otherwise of {x[e]}")


def decisions(x: Floats, lost: NDArray[np.bool_] | None = None, margin: float | None = None) -> list[Decisions]:
    """Return the verdict of every experiment, by the report's function."""
    rule, gone = DecisionRule(sign=1, margin=margin), np.zeros(x.shape, dtype=bool) if lost is None else lost
    return [decide(one, none, rule) for one, none in zip(x, gone, strict=True)]


def of_verdict(x: Floats) -> Claims:
    """initlab's verdict: paired t, Holm over all pairs."""
    return verdicts(x).beats


def of_unpaired_t(x: Floats) -> Claims:
    """Student's t of two groups for every pair, p < 0.05, as many a notebook has it."""
    p = stats.ttest_ind(x[:, :, None], x[:, None, :], axis=-1).pvalue
    return np.asarray(_ahead(x.mean(axis=-1)) & (p < LEVEL))


def of_rliable(x: Floats) -> Claims:
    """Interquartile means whose 95 % percentile intervals do not overlap.

    The interval is rliable's for one task: the mean of the middle half (scipy's trim_mean at 0.25) of runs drawn again,
    between the quantiles of 2.5 and 97.5 % (Agarwal et al. 2021, arXiv:2108.13264, section 4; rliable/library.py,
    get_interval_estimates and metrics.aggregate_iqm).
    """
    low, high = percentile_interval(x)
    return low[:, :, None] > high[:, None, :]


def percentile_interval(x: Floats) -> tuple[Floats, Floats]:
    """Return the percentile interval of the interquartile mean of runs (..., n), of 1,000 resamples."""
    n = x.shape[-1]
    flat, rng = x.reshape(-1, n), np.random.default_rng(0)
    drawn, cut = rng.integers(0, n, (RESAMPLES, n)), n // 4
    low, high = np.empty(len(flat)), np.empty(len(flat))
    for start in range(0, len(flat), 500):
        part = np.sort(flat[start : start + 500, drawn], axis=-1)[..., cut : n - cut].mean(axis=-1)
        low[start : start + 500], high[start : start + 500] = np.quantile(part, (0.025, 0.975), axis=1)
    return low.reshape(x.shape[:-1]), high.reshape(x.shape[:-1])


def of_autorank(x: Floats) -> Claims:
    """Wilcoxon's signed ranks for two arms; for more Friedman's test, then Nemenyi's critical difference.

    That is autorank's way without a normal law (Herbold 2020, doi:10.21105/joss.02173), after Demšar (2006).
    """
    arms, n = x.shape[1:]
    if arms == 2:
        p = stats.wilcoxon(x[:, 0], x[:, 1], axis=-1).pvalue
        return np.asarray(_ahead(x.mean(axis=-1)) & np.asarray(p < LEVEL)[:, None, None])
    ranks = stats.rankdata(x, axis=1).mean(axis=-1)
    friedman = 12 * n / (arms * (arms + 1)) * ((ranks - (arms + 1) / 2) ** 2).sum(axis=1)
    differ = friedman > stats.chi2.ppf(1 - LEVEL, arms - 1)
    critical = stats.studentized_range.ppf(1 - LEVEL, arms, np.inf) / np.sqrt(2) * np.sqrt(arms * (arms + 1) / (6 * n))
    return np.asarray((ranks[:, :, None] - ranks[:, None, :] > critical) & differ[:, None, None])


def of_best_seed(x: Floats) -> Claims:
    """The arm with the best single run beats all others: "best of seeds"."""
    best = x.max(axis=-1)
    return np.asarray((best == best.max(axis=1, keepdims=True))[:, :, None] & _ahead(best))


def _ahead(values: Floats) -> Claims:
    return values[:, :, None] > values[:, None, :]


PEERS: dict[str, Callable[[Floats], Claims]] = {
    "initlab's verdict": of_verdict,
    "Wilcoxon; Friedman and Nemenyi (autorank)": of_autorank,
    "interquartile means apart (rliable)": of_rliable,
    "unpaired t for each pair": of_unpaired_t,
    "best of seeds": of_best_seed,
}
