"""Judges arms in one outcome: the decision about every pair, and an order and groups that contradict no win."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.analysis.statistics.chances import shares
from core.analysis.statistics.decisions import ALPHA, DecisionRule, Decisions, decide
from core.analysis.statistics.intervals import Floats, Ints, Summary
from core.analysis.statistics.paired import Comparisons, PairErrors, family_adjusted
from core.analysis.statistics.sequential_decisions import LooksTaken, decide_at_looks
from core.analysis.statistics.unpaired import decide_unpaired
from core.metrics import Measure


class Judgement(NamedTuple):
    """The order and comparisons of arms in one outcome; arrays are by arm in the design's order, or (arms, arms)."""

    order: list[int]
    """The arms that have a mean: no arm comes after one that it beats; otherwise those that lost fewer runs, and of
    these the better mean, come first."""
    reference: int | None
    """The baseline, else the first; None where no arm has a mean."""
    decisions: Decisions
    found: Comparisons
    """The paired t of the seeds on which both came to a value."""
    adjusted: Floats
    """p of the tests that decide, adjusted by Holm; NaN for pairs outside the family."""
    lost: Ints
    finished: Ints
    p_lost: Floats
    """Fisher's p of the shares of lost runs; NaN where no run was lost. It decides nothing."""
    adjusted_lost: Floats
    beats: NDArray[np.bool_]
    """Row beats column."""
    groups: list[list[int]]
    paired: bool = True
    """False where the runs of a seed have nothing in common."""


def judge(
    values: Floats,
    lost: NDArray[np.bool_],
    summaries: Sequence[Summary],
    measure: Measure,
    baseline: int | None,
    *,
    margin: float | None = None,
    alpha: float = ALPHA,
    taken: LooksTaken | None = None,
    family: int | None = None,
    paired: bool = True,
    errors: PairErrors | None = None,
) -> Judgement:
    """Decide about the arms by their values (arms, seeds), NaN where a run has none, and order them.

    `lost` (arms, seeds) are runs that finished without a value: they diverged, or never came to what is asked for. No
    value is invented for them, and they are in no mean; but they are worse than any value, and pairs of arms are
    decided with them (see `decide`; without `paired`, where the runs of a seed have nothing in common, see
    `decide_unpaired`). (Of an outcome that only describes runs, such as the generalisation gap, a lost run says
    nothing, and such pairs stay open.) So survivors never lead: an arm comes before one that lost fewer runs only if it
    beats it. Arms with one value come after those with more.

    The family is all pairs of arms, because the data choose the best; with a baseline the comparisons with it; `family`
    is the number of questions where these arms are some of several that are asked about. Where
    seeds were added from look to look, `taken` has those that were, and `decide_at_looks` decides.

    `groups` are of the arms that have a mean. Without a baseline the first are those that none beats, and each next one
    those that only arms of the groups before it beat: so a winner is always in a better group than the arm it beats.
    Arms of two groups need not be told apart, as "cannot be told apart" is not transitive. With a baseline: the arms
    that beat it, it and those that neither do nor are beaten, those that it beats.
    """
    n_lost, finished = lost.sum(axis=1), lost.sum(axis=1) + np.isfinite(values).sum(axis=1)
    share = n_lost / np.maximum(finished, 1)
    rule = DecisionRule(
        sign=measure.sign,
        margin=margin,
        alpha=alpha,
        baseline=baseline,
        ranks_lost=not measure.describes,
        rounding=measure.rounding,
        family=family,
    )
    if not paired:
        decisions = decide_unpaired(values, lost, rule)
    elif taken is None:
        decisions = decide(values, lost, rule, errors)
    else:  # looks decide by the seeds alone until then
        decisions = decide_at_looks(values, lost, rule, taken)
    beats = decisions.beats
    ranked = sorted(
        (i for i, s in enumerate(summaries) if s.n > 0),
        key=lambda i: (summaries[i].n < 2, share[i], -measure.sign * summaries[i].mean),
    )
    order = _winners_first(ranked, beats)
    p_lost = np.full(beats.shape, np.nan)
    for pair, p in shares(n_lost, finished).items():
        p_lost[pair] = p_lost[pair[::-1]] = p
    if baseline is not None and baseline in order:
        groups = _around(order, beats[:, baseline], beats[baseline])
    else:
        groups = _levels(order, beats)
    return Judgement(
        order=order,
        reference=baseline if baseline is not None else order[0] if order else None,
        decisions=decisions,
        found=decisions.found,
        adjusted=decisions.p_adjusted,
        lost=n_lost,
        finished=finished,
        p_lost=p_lost,
        adjusted_lost=family_adjusted(p_lost, baseline),
        beats=beats,
        groups=groups,
        paired=paired,
    )


def best_first(
    summaries: Sequence[Summary], measure: Measure, unreliable: Sequence[bool] | NDArray[np.bool_] | None = None
) -> list[int]:
    """Return the arms that have a mean, best first, those with one run after those with more. Ties keep their order.

    `unreliable` arms, which lost half of their runs or more, come after the others.
    """
    ranked = [i for i, s in enumerate(summaries) if s.n > 0]
    last = [False] * len(summaries) if unreliable is None else unreliable
    return sorted(ranked, key=lambda i: (summaries[i].n < 2, bool(last[i]), -measure.sign * summaries[i].mean))


def _unbeaten(left: list[int], beats: NDArray[np.bool_]) -> list[int]:
    """Return those that none of the others beats; all, should they beat one another in a circle.

    A circle takes wins on seeds that differ by pair, where runs are missing.
    """
    return [i for i in left if not beats[left, i].any()] or left


def _winners_first(ranked: list[int], beats: NDArray[np.bool_]) -> list[int]:
    """Return the arms in their order, but each after all that beat it."""
    left, order = list(ranked), []
    while left:
        order.append(_unbeaten(left, beats)[0])
        left.remove(order[-1])
    return order


def _levels(order: list[int], beats: NDArray[np.bool_]) -> list[list[int]]:
    """Return groups: the arms that none beats, then those that none of the rest beats, and so on."""
    groups, left = [], list(order)
    while left:
        groups.append(_unbeaten(left, beats))
        left = [i for i in left if i not in groups[-1]]
    return groups


def _around(order: list[int], better: NDArray[np.bool_], worse: NDArray[np.bool_]) -> list[list[int]]:
    """Return groups: the arms that beat the baseline, those like it and itself, those that it beats."""
    thirds = [
        [i for i in order if better[i]],
        [i for i in order if not better[i] and not worse[i]],
        [i for i in order if worse[i]],
    ]
    return [group for group in thirds if group]
