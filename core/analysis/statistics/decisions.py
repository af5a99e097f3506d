"""Decides every pair of arms: better, worse, equivalent or open; and the places that these decisions leave to each."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from core.analysis.statistics.intervals import Floats, Ints
from core.analysis.statistics.lost_runs import worst_rank_tests
from core.analysis.statistics.paired import Comparisons, PairErrors, compare, family_adjusted
from core.design import FEWEST_PAIRS
from core.metrics import ROUNDING

ALPHA = 0.05

OPEN, BETTER, WORSE, EQUIVALENT = "open", "better", "worse", "equivalent"


@dataclass(frozen=True, kw_only=True)
class DecisionRule:
    """The question about arms, and the error that is allowed; one look of a sequential design has its own `alpha`."""

    sign: int
    """1 where more is better, -1 where less is."""
    margin: float | None = None
    """The largest difference that does not matter, in the outcome's unit; None: no arms are called equivalent."""
    alpha: float = ALPHA
    """The chance of any false win in the family, and that of any false equivalence."""
    baseline: int | None = None
    """The arm with which the others are compared; None: all pairs are."""
    family: int | None = None
    """The number of questions that are corrected for; None: the pairs that have an answer."""
    ranks_lost: bool = True
    """True where losing a run is worse than any value; else pairs of arms that lost any stay open."""
    rounding: float = ROUNDING
    """The part of the values' size below which a spread is rounding."""


class Decisions(NamedTuple):
    """Every arm against every arm, arrays (arms, arms), row against column; NaN where there is no answer."""

    found: Comparisons
    """The paired t of the seeds on which both came to a value, its intervals each for itself at 1 - alpha."""
    ci_low: Floats
    ci_high: Floats
    """Intervals of the differences that hold together, at 1 - alpha over the family; NaN where t does not decide."""
    test: NDArray[np.str_]
    """The test that decides: "t"; "ranks", where runs were lost; "signs", where all differences are the same;
    "constants", where besides no arm varies; "": no test."""
    p: Floats
    """Of that test."""
    p_adjusted: Floats
    """By Holm over the family."""
    p_equivalence: Floats
    """Of the two one-sided tests, adjusted by Holm over the family; NaN without a margin."""
    decision: NDArray[np.str_]
    """"better", "worse", "equivalent" or "open", of row against column; "" on the diagonal."""
    beats: NDArray[np.bool_]
    """Row is better than column."""
    rank_low: Ints
    rank_high: Ints
    """The places (arms,) that the decisions leave to each arm, 1 the best; 0 for an arm without a finished run."""
    until: Ints | None = None
    """Where seeds were added from look to look: the seeds (arms, arms) that each pair was decided, or last seen, on."""


def decide(values: Floats, lost: NDArray[np.bool_], rule: DecisionRule, errors: PairErrors | None = None) -> Decisions:
    """Decide the pairs of arms by `values` (arms, seeds), NaN where a run has none, and `lost`, those that never will.

    A pair is asked about if three seeds have finished in both arms. Where both came to a value on all of these, the
    paired t test decides. Where a run was lost, all are ranked, and a lost one is the worst (`worst_rank_tests`): the
    mean of those that survived decides nothing. Differences that do not vary have no t: they are judged by their signs,
    p = 2^(1-n), or, where the values of neither arm vary, by the chance 2·4^(-n) at most that two arms of one law come
    to two constants.

    - Wins have p adjusted by Holm below alpha. The intervals are Bonferroni's, at 1 - alpha / m for m questions: one
      that excludes 0 is always a win; a win that only Holm finds may have one that does not.
    - Arms are equivalent if two one-sided tests (Schuirmann 1987, doi:10.1007/BF01068419) find their difference within
      the margin, the larger p of the two adjusted by Holm over the pairs; then a difference, however sure, is one that
      does not matter, and neither is called better. Arms that lost runs are not called so.
    - With `errors`, which know of splits, t is by those (see `compare`).
    - Arm i has the places 1 + (arms that beat it) to k - (arms that it beats). If no false win is made, which has the
      chance 1 - alpha, they hold the true place of every arm, and no place contradicts a win.
    """
    found = compare(values, rule.alpha, errors, rounding=rule.rounding)
    finished = lost | np.isfinite(values)
    asked = _asked(finished, rule.baseline)
    test, p, direction = _tests(values, lost, found, asked, rule)
    low, high = _together(found, test, rule)
    p_equivalence = _equivalence(found, test, rule)
    return settled(
        found=found,
        together=(low, high),
        test=test,
        p=p,
        p_equivalence=p_equivalence,
        direction=direction,
        finished=np.asarray(finished.any(axis=1)),
        rule=rule,
    )


def settled(
    *,
    found: Comparisons,
    together: tuple[Floats, Floats],
    test: NDArray[np.str_],
    p: Floats,
    p_equivalence: Floats,
    direction: Floats,
    finished: NDArray[np.bool_],
    rule: DecisionRule,
) -> Decisions:
    """Return the decisions that follow from the tests of all pairs (arms, arms).

    `direction` is above 0 where row is better than column, `p_equivalence` adjusted; `finished` (arms,) are those that
    have a finished run.
    """
    p_adjusted = family_adjusted(p, rule.baseline, rule.family)
    equivalent = p_equivalence < rule.alpha
    beats = (p_adjusted < rule.alpha) & (direction > 0) & ~equivalent
    decision = np.full(p.shape, OPEN, dtype="U10")
    decision[beats], decision[beats.T], decision[equivalent] = BETTER, WORSE, EQUIVALENT
    np.fill_diagonal(decision, "")
    rank_low = np.where(finished, 1 + beats.sum(axis=0), 0)
    rank_high = np.where(finished, finished.sum() - beats.sum(axis=1), 0)
    return Decisions(
        found=found,
        ci_low=together[0],
        ci_high=together[1],
        test=test,
        p=p,
        p_adjusted=p_adjusted,
        p_equivalence=p_equivalence,
        decision=decision,
        beats=beats,
        rank_low=rank_low,
        rank_high=rank_high,
    )


def _asked(finished: NDArray[np.bool_], baseline: int | None) -> NDArray[np.bool_]:
    """Return the pairs (arms, arms) that have seeds enough, of those that are compared at all."""
    both = finished.astype(np.int64)
    asked = both @ both.T >= FEWEST_PAIRS
    if baseline is not None:
        with_it = np.arange(len(asked)) == baseline
        asked &= with_it[:, None] | with_it
    np.fill_diagonal(asked, val=False)
    return asked


def _tests(
    values: Floats, lost: NDArray[np.bool_], found: Comparisons, asked: NDArray[np.bool_], rule: DecisionRule
) -> tuple[NDArray[np.str_], Floats, Floats]:
    """Return for every pair the test that decides, its p, and its direction (above 0: row is better)."""
    test, p = np.full(asked.shape, "", dtype="U10"), np.full(asked.shape, np.nan)
    direction = rule.sign * found.difference
    finished = lost | np.isfinite(values)
    with_losses = asked & _any_lost(lost, finished)
    plain = asked & ~with_losses & np.isfinite(found.p)
    test[plain], p[plain] = "t", found.p[plain]
    flat = plain & (found.ci_low == found.ci_high) & (found.difference != 0)
    for i, j in np.argwhere(np.triu(flat)):
        both = np.isfinite(values[i]) & np.isfinite(values[j])
        a, b = values[i, both], values[j, both]
        constant = a.std(ddof=1) <= rule.rounding * np.abs([a, b]).max()  # and so is the other, as a - b is
        test[i, j] = test[j, i] = "constants" if constant else "signs"
        if constant:
            p[i, j] = p[j, i] = 2.0 * 4.0 ** -found.n[i, j]
    pairs = [(int(i), int(j)) for i, j in np.argwhere(np.triu(with_losses))]
    if pairs and rule.ranks_lost:
        ranked = worst_rank_tests(rule.sign * values, lost, pairs)
        for (i, j), mean, one in zip(pairs, ranked.difference, ranked.p, strict=True):
            test[i, j] = test[j, i] = "ranks"
            p[i, j] = p[j, i] = one
            direction[i, j], direction[j, i] = mean, -mean
    return test, p, direction


def _any_lost(lost: NDArray[np.bool_], finished: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pairs of which a run was lost on a seed that both finished."""
    gone, ended = lost.astype(np.int64), finished.astype(np.int64)
    either = gone @ ended.T
    return np.asarray(either + either.T > 0)


def _together(found: Comparisons, test: NDArray[np.str_], rule: DecisionRule) -> tuple[Floats, Floats]:
    """Return the bounds of intervals that hold together, of the pairs that t decides."""
    by_t = test == "t"
    family = max(rule.family or 0, int(np.triu(test != "").sum()), 1)
    df = np.maximum(found.df, 1.0)
    wider = stdtrit(df, rule.alpha / family / 2) / stdtrit(df, rule.alpha / 2)
    half = np.where(by_t, wider * (found.ci_high - found.difference), np.nan)
    return found.difference - half, found.difference + half


def _equivalence(found: Comparisons, test: NDArray[np.str_], rule: DecisionRule) -> Floats:
    """Return the adjusted p of the two one-sided tests; differences that do not vary are judged by the sign test."""
    p = np.full(found.p.shape, np.nan)
    if rule.margin is None:
        return p
    df = np.maximum(found.df, 1.0)
    error = (found.ci_high - found.difference) / -stdtrit(df, rule.alpha / 2)
    away = rule.margin - np.abs(found.difference)
    with np.errstate(divide="ignore", invalid="ignore"):
        tested = stdtr(df, -away / error)
    tested = np.where(error > 0, tested, np.where(away > 0, np.exp2(-found.n.astype(np.float64)), 1.0))
    with_values = (test != "") & (test != "ranks")
    p[with_values] = tested[with_values]
    return family_adjusted(p, rule.baseline, rule.family)
