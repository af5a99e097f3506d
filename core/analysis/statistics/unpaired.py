"""Decides pairs of arms whose runs have nothing in common: Welch's t, and ranks where runs were lost."""

import itertools
import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, stdtr, stdtrit

from core.analysis.statistics.decisions import DecisionRule, Decisions, settled
from core.analysis.statistics.intervals import Floats, Ints, moments
from core.analysis.statistics.paired import Comparisons, family_adjusted
from core.design import FEWEST_PAIRS
from core.metrics import ROUNDING

ENUMERATED = 20_000
"""The most ways to share out runs among two arms that are all tried; beyond, the normal approximation."""


class Welch(NamedTuple):
    """Every arm less every arm, (arms, arms): the difference of means, its standard error and degrees of freedom."""

    difference: Floats
    error: Floats
    df: Floats
    """NaN where one arm has fewer than two values, or neither varies."""


def welch(values: Floats, rounding: float = ROUNDING) -> Welch:
    """Return the differences of the means of all arms; `values` is (arms, runs), NaN where there is none.

    Welch 1947, doi:10.1093/biomet/34.1-2.28: variances may differ. A spread that is only rounding, below
    `rounding` of the values' size, counts as 0.
    """
    n, mean, sd = moments(values)
    size = np.fmax.reduce(np.abs(np.where(np.isfinite(values), values, np.nan)), axis=1, initial=0.0)
    sd = np.where(sd <= rounding * size, 0.0, sd)
    with np.errstate(all="ignore"):
        part = np.where(n > 1, sd**2 / n, np.nan)
        whole = part[:, None] + part
        df = whole**2 / ((part**2 / (n - 1))[:, None] + part**2 / (n - 1))
        return Welch(mean[:, None] - mean, np.sqrt(whole), np.where(whole > 0, df, np.nan))


def decide_unpaired(values: Floats, lost: NDArray[np.bool_], rule: DecisionRule) -> Decisions:
    """Decide the pairs of arms by `values` (arms, runs) as `decide` does, for runs that are not paired.

    A pair is asked about if both arms have three finished runs. Where all of them came to a value, Welch's t test
    decides; the effect size is the difference over the root mean square of both standard deviations, with Hedges'
    correction. Where neither arm varies, p is that of sharing out the runs among the two by chance. Where a run was
    lost, all are ranked, a lost one as the worst, and the rank sum decides (exact up to 20,000 ways to share them out).
    """
    t, count = welch(values, rule.rounding), np.isfinite(values).sum(axis=1)
    finished = count + lost.sum(axis=1)
    asked = (finished[:, None] >= FEWEST_PAIRS) & (finished >= FEWEST_PAIRS)
    if rule.baseline is not None:
        with_it = np.arange(len(asked)) == rule.baseline
        asked &= with_it[:, None] | with_it
    np.fill_diagonal(asked, val=False)
    gone = np.asarray(lost.any(axis=1))
    test, p = np.full(asked.shape, "", dtype="U10"), np.full(asked.shape, np.nan)
    direction = rule.sign * t.difference
    with np.errstate(all="ignore"):
        by_t = 2 * stdtr(t.df, -np.abs(t.difference / t.error))
    for i, j in np.argwhere(np.triu(asked)):
        if not (gone[i] or gone[j]):
            constant = not np.isfinite(t.df[i, j])
            name, one = ("constants", _shared_out(count[i], count[j])) if constant else ("welch", float(by_t[i, j]))
            one = 1.0 if constant and not t.difference[i, j] else one
        elif rule.ranks_lost:
            name, one, away = "ranks", *_rank_sum(*(_ordered(rule.sign * values[k], lost[k]) for k in (i, j)))
            direction[i, j], direction[j, i] = away, -away
        else:
            continue
        test[i, j] = test[j, i] = name
        p[i, j] = p[j, i] = one
    half = np.where(np.isfinite(t.df), -stdtrit(t.df, rule.alpha / 2) * t.error, np.where(t.error == 0, 0.0, np.nan))
    found = Comparisons(
        n=np.minimum(count[:, None], count),
        difference=t.difference,
        ci_low=t.difference - half,
        ci_high=t.difference + half,
        p=np.where(np.isfinite(t.df), by_t, np.nan),
        effect_size=_effect(values, t),
        df=t.df,
    )
    family = max(rule.family or 0, int(np.triu(test != "").sum()), 1)
    wide = np.where(test == "welch", -stdtrit(t.df, rule.alpha / family / 2) * t.error, np.nan)
    return settled(
        found=found,
        together=(t.difference - wide, t.difference + wide),
        test=test,
        p=p,
        p_equivalence=_equivalence(t, count, test, rule),
        direction=direction,
        finished=finished > 0,
        rule=rule,
    )


def _effect(values: Floats, t: Welch) -> Floats:
    n, _, sd = moments(values)
    with np.errstate(all="ignore"):
        spread = np.sqrt((sd[:, None] ** 2 + sd**2) / 2)
        freedom = np.maximum(n[:, None] + n - 2, 2).astype(np.float64)
        correction = np.exp(gammaln(freedom / 2) - gammaln((freedom - 1) / 2)) / np.sqrt(freedom / 2)
        effect = np.where(np.isfinite(t.df), t.difference / spread * correction, np.nan)
    return np.where((t.error == 0) & (t.difference == 0), 0.0, effect)


def _equivalence(t: Welch, count: Ints, test: NDArray[np.str_], rule: DecisionRule) -> Floats:
    p = np.full(test.shape, np.nan)
    if rule.margin is not None:
        within = rule.margin - np.abs(t.difference)
        with np.errstate(all="ignore"):
            tested = stdtr(t.df, -within / t.error)
        p[test == "welch"] = tested[test == "welch"]
        for i, j in np.argwhere(test == "constants"):
            p[i, j] = _shared_out(count[i], count[j]) / 2 if within[i, j] > 0 else 1.0
    return family_adjusted(p, rule.baseline, rule.family)


def _shared_out(a: int, b: int) -> float:
    """Return the chance that runs shared out at random among two arms are those that came to one value in each."""
    return min(1.0, 2 / math.comb(int(a + b), int(a)))


def _ordered(scores: Floats, lost: NDArray[np.bool_]) -> Floats:
    ended = np.where(lost, -np.inf, scores)
    return np.asarray(ended[~np.isnan(ended)])


def _rank_sum(a: Floats, b: Floats) -> tuple[float, float]:
    """Return the two-sided p of Wilcoxon's rank sum, and the mean rank of `a` less that of `b`."""
    from scipy.stats import mannwhitneyu, rankdata  # noqa: PLC0415 0.3 s to import: only who asks for a report pays

    ranks = np.asarray(rankdata(np.concatenate([a, b])))
    away = float(ranks[: len(a)].mean() - ranks[len(a) :].mean())
    if math.comb(len(ranks), len(a)) > ENUMERATED:
        return float(mannwhitneyu(ranks[: len(a)], ranks[len(a) :], method="asymptotic").pvalue), away
    sums = ranks[_ways(len(ranks), len(a))].sum(axis=1)
    expected = ranks.mean() * len(a)
    far = abs(ranks[: len(a)].sum() - expected) - 1e-9
    return float((np.abs(sums - expected) >= far).mean()), away


@lru_cache(maxsize=16)
def _ways(n: int, k: int) -> NDArray[np.int64]:
    return np.array(list(itertools.combinations(range(n), k)))
