"""Decides pairs of arms whose seeds were added from look to look: nothing is decided but at a look, at its level."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.analysis.statistics.decisions import OPEN, DecisionRule, Decisions, decide
from core.analysis.statistics.intervals import Floats, Ints
from core.analysis.statistics.paired import compare
from core.analysis.statistics.sequential import look_levels, overall_p


class LooksTaken(NamedTuple):
    """The looks at adaptive seeds: the seeds after which they are, and how many of them each arm was trained up to."""

    looks: tuple[int, ...]
    reached: Ints


def decide_at_looks(values: Floats, lost: NDArray[np.bool_], rule: DecisionRule, taken: LooksTaken) -> Decisions:
    """Decide the pairs of arms as `decide` does, each at the looks that both of its arms came to, one after another.

    A pair is decided at the first look that decides it, at the level that `look_levels` gives there to alpha over the
    number of pairs, or the rule's family; its numbers are those of that look, or of the last. Whatever ended the
    training, on another outcome or by another rule, the chance of a false win in the family is below alpha: that is the
    chance of one at any look.

    `ci_low` and `ci_high` are at the look's level, and the intervals of `found`, each for itself, at the level that it
    has with alpha not divided. `p` is that of the look, `p_adjusted` the smallest alpha at which the pair would have
    been decided there or before; likewise `p_equivalence`.
    """
    arms = len(values)
    if rule.baseline is None:
        pairs = [(i, j) for i in range(arms) for j in range(i + 1, arms)]
    else:
        pairs = [(rule.baseline, j) for j in range(arms) if j != rule.baseline]
    made = decide(values, lost, rule)
    if not pairs:
        return made
    for field in (made.p, made.p_adjusted, made.p_equivalence, made.ci_low, made.ci_high):
        field[:] = np.nan
    made.test[:], made.decision[:], made.beats[:] = "", OPEN, False
    np.fill_diagonal(made.decision, "")
    until = np.zeros((arms, arms), np.int64)
    family = max(rule.family or 0, len(pairs))
    levels, alone = look_levels(taken.looks, rule.alpha / family), look_levels(taken.looks, rule.alpha)
    for pair in pairs:
        one, k = _of_pair(values[[*pair]], lost[[*pair]], rule, levels, LooksTaken(taken.looks, taken.reached[[*pair]]))
        n = taken.looks[k]
        until[pair] = until[pair[::-1]] = n
        overall = partial(overall_p, taken.looks, n, family=family)
        _copy(one._replace(p_adjusted=overall(one.p), p_equivalence=overall(one.p_equivalence)), made, pair)
        _copy(compare(values[[*pair], :n], alone[k], rounding=rule.rounding), made.found, pair)
    there = (lost | np.isfinite(values)).any(axis=1)
    made.rank_low[:] = np.where(there, 1 + made.beats.sum(axis=0), 0)
    made.rank_high[:] = np.where(there, there.sum() - made.beats.sum(axis=1), 0)
    return made._replace(until=until)


def decide_pair(values: Floats, lost: NDArray[np.bool_], rule: DecisionRule, level: float) -> Decisions:
    """Decide a pair of arms (2, seeds) at the level of a look: it is the only question there."""
    return decide(values, lost, replace(rule, alpha=level, baseline=None, family=1))


def _of_pair(
    values: Floats, lost: NDArray[np.bool_], rule: DecisionRule, levels: Sequence[float], taken: LooksTaken
) -> tuple[Decisions, int]:
    """Return the decisions about a pair of arms at the look that made one, or at its last; and the look's index."""
    reached = int(taken.reached.min())
    for k in range(max(1, reached)):
        n = taken.looks[k]
        found = decide_pair(values[:, :n], lost[:, :n], rule, levels[k])
        if found.decision[0, 1] != OPEN:
            break
    if not reached:  # before the first look nothing is decided
        found.decision[0, 1] = found.decision[1, 0] = OPEN
        found.beats[:] = False
    return found, k


def _copy(one: tuple[Any, ...], into: tuple[Any, ...], pair: tuple[int, int]) -> None:
    """Write what is known of two arms, arrays (2, 2), to their places among all."""
    for field, target in zip(one, into, strict=True):
        if isinstance(field, np.ndarray) and field.shape == (2, 2):
            target[pair], target[pair[::-1]] = field[0, 1], field[1, 0]
