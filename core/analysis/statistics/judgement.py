"""Judges which arm beats which: by their values, and by the share of their runs that came to one."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.analysis.statistics.chances import shares
from core.analysis.statistics.intervals import Floats, Ints, Summary
from core.analysis.statistics.paired import Comparisons, compare, family_adjusted
from core.metrics import Measure

LEVEL = 0.05


class Judgement(NamedTuple):
    """The order and comparisons of arms in one outcome; arrays are by arm in the design's order, or (arms, arms)."""

    order: list[int]
    """The arms that have a mean, best first."""
    reference: int | None
    """The baseline, else the best; None where no arm has a mean."""
    found: Comparisons
    adjusted: Floats
    """p adjusted by Holm; NaN for pairs outside the family."""
    lost: Ints
    finished: Ints
    p_lost: Floats
    """Fisher's p of the shares of lost runs; NaN where no run was lost."""
    adjusted_lost: Floats
    beats: NDArray[np.bool_]
    """Row beats column."""
    groups: list[list[int]]


def judge(
    values: Floats, lost: NDArray[np.bool_], summaries: Sequence[Summary], measure: Measure, baseline: int | None
) -> Judgement:
    """Order and compare the arms by their values (arms, seeds), NaN where a run has none.

    `lost` (arms, seeds) are runs that finished without a value: they diverged, or never came to what is asked for. No
    value is invented for them, and they are in no mean; but whether runs come to a value is a question of its own, with
    Fisher's exact test for every pair of arms in which a run was lost, and a Holm family of its own. An arm beats
    another

    - when its values are better, p adjusted below 0.05, and no larger share of its finished runs was lost; or
    - when a smaller share of its runs was lost, p adjusted below 0.05, and its values are not the worse ones.

    (Of an outcome that only describes runs, such as the generalisation gap, a share says nothing, and the second does
    not hold.) So the mean of the runs that survived never makes an arm better than one that lost fewer. In the order,
    arms that lost half of their finished runs or more come after all others, and those with one value after those with
    more.

    The family is all pairs of arms, because the data choose the best; with a baseline the comparisons with it.
    """
    sign = measure.sign
    n_lost, finished = lost.sum(axis=1), lost.sum(axis=1) + np.isfinite(values).sum(axis=1)
    share = n_lost / np.maximum(finished, 1)
    order = best_first(summaries, measure, share >= 0.5)
    found = compare(values)
    adjusted = family_adjusted(found.p, baseline)
    p_lost = np.full(found.p.shape, np.nan)
    for pair, p in shares(n_lost, finished).items():
        p_lost[pair] = p_lost[pair[::-1]] = p
    adjusted_lost = family_adjusted(p_lost, baseline)
    better = (adjusted < LEVEL) & (sign * found.difference > 0)
    safer = (adjusted_lost < LEVEL) & (share[:, None] < share) & (not measure.describes)
    beats = better & (share[:, None] <= share) | safer & ~better.T
    reference = baseline if baseline is not None else order[0] if order else None
    if baseline is not None and baseline in order:
        groups = _around(order, beats[:, baseline], beats[baseline])
    else:
        groups = _peeled(order, beats | beats.T)
    return Judgement(order, reference, found, adjusted, n_lost, finished, p_lost, adjusted_lost, beats, groups)


def best_first(
    summaries: Sequence[Summary], measure: Measure, unreliable: Sequence[bool] | NDArray[np.bool_] | None = None
) -> list[int]:
    """Return the arms that have a mean, best first, those with one run after those with more. Ties keep their order.

    `unreliable` arms, which lost half of their runs or more, come after the others.
    """
    ranked = [i for i, s in enumerate(summaries) if s.n > 0]
    last = [False] * len(summaries) if unreliable is None else unreliable
    return sorted(ranked, key=lambda i: (summaries[i].n < 2, bool(last[i]), -measure.sign * summaries[i].mean))


def _peeled(order: list[int], differ: NDArray[np.bool_]) -> list[list[int]]:
    """Return groups: the best arm and all that do not differ from it, then the same among the rest."""
    groups = []
    while order:
        groups.append([i for i in order if i == order[0] or not differ[order[0], i]])
        order = [i for i in order if i not in groups[-1]]
    return groups


def _around(order: list[int], better: NDArray[np.bool_], worse: NDArray[np.bool_]) -> list[list[int]]:
    """Return groups: the arms that beat the baseline, those like it and itself, those that it beats."""
    thirds = [
        [i for i in order if better[i]],
        [i for i in order if not better[i] and not worse[i]],
        [i for i in order if worse[i]],
    ]
    return [group for group in thirds if group]
