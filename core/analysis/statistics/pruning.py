"""Prunes arms before their last epoch: those that are worse than the best beyond doubt."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from core.analysis.statistics.intervals import Floats, summaries
from core.analysis.statistics.judgement import judge
from core.analysis.statistics.paired import compare
from core.design import FEWEST_PAIRS, Design

Decision = Mapping[str, Any]
"""The decision of one look, plain and JSON-able: `epoch`, `metric`, `looks`, `level`, the number of `arms` compared,
the labels of those that were found `worse`, and the comparisons of those that are `pruned`."""


@dataclass(frozen=True, kw_only=True)
class RungRule:
    """The rule by which arms are pruned before their last epoch: at one of `looks` looks, all together at a level."""

    metric: str
    """The metric by epoch that arms are compared by."""
    looks: int
    """The looks at which an arm may be pruned."""
    level: float
    in_a_row: int = 1
    """The looks in a row that must find an arm worse, the last of which prunes it."""


class RungValues(NamedTuple):
    """The values that the runs of all arms came to at a look, (arms, seeds) in the design's order."""

    values: Floats
    """The judged metric; NaN where a run has none."""
    lost: NDArray[np.bool_]
    """The runs that came to none: they diverged, or it is not finite. Of those that failed nothing is known."""

    @classmethod
    def of(cls, design: Design, runs: Iterable[tuple[str, int, float | None]]) -> Self:
        """Return those of the runs that came so far, each its label, its seed and its value; None: it diverged."""
        ended = list(runs)
        values = design.matrix(ended)
        there = design.matrix((label, seed, 1.0) for label, seed, _ in ended) == 1
        return cls(values, there & ~np.isfinite(values))


def decide_rung(
    design: Design, rule: RungRule, *, epoch: int, measured: RungValues, before: Sequence[Decision]
) -> Decision:
    """Judge the arms after so many epochs; what is decided depends on the numbers alone.

    Arms that the looks `before` pruned play no part. Of the others those in the worse half by their mean are found
    worse that the best one beats, by the report's rule (see `judge`; the family is all pairs of arms, as the data chose
    the best) and by their mean. `p_adjusted` is Holm's times the looks (Bonferroni), and below the level. Those that so
    many looks in a row found worse are pruned: no arm with fewer than three pairs of values, and not the baseline.
    """
    measure, labels, looks = design.metrics[rule.metric], design.labels, rule.looks
    gone = np.isin(labels, list(pruned_arms(before)))[:, None]
    values, lost = np.where(gone | measured.lost, np.nan, measured.values), measured.lost & ~gone
    summarized = summaries(values, rounding=measure.rounding)
    judged = judge(values, lost, summarized, measure, None, alpha=rule.level / looks)
    order = [*judged.order[:1], *sorted(judged.order[1:], key=lambda i: -measure.sign * summarized[i].mean)]
    decision = {"epoch": epoch, "metric": rule.metric, "looks": looks, "level": rule.level}
    if len(order) < 2:
        return {**decision, "arms": len(order), "worse": [], "pruned": []}
    found, best = compare(values, rounding=measure.rounding), order[0]
    adjusted = np.minimum(1.0, looks * judged.adjusted)
    worse = [
        i
        for i in order[(len(order) + 1) // 2 :]
        if labels[i] != design.baseline
        and found.n[best, i] >= FEWEST_PAIRS
        and measure.sign * found.difference[best, i] > 0
        and judged.beats[best, i]
    ]
    last = before[len(before) - rule.in_a_row + 1 :] if rule.in_a_row > 1 else []
    pruned = [
        {
            "arm": labels[i],
            "best": labels[best],
            "n": int(found.n[best, i]),
            "p": float(judged.decisions.p[best, i]),
            **{name: float(getattr(found, name)[best, i]) for name in ("difference", "ci_low", "ci_high")},
            "p_adjusted": float(adjusted[best, i]),
        }
        for i in worse
        if len(last) == rule.in_a_row - 1 and all(labels[i] in look.get("worse", ()) for look in last)
    ]
    return {**decision, "arms": len(order), "worse": [labels[i] for i in worse], "pruned": pruned}


def pruned_arms(rungs: Collection[Decision]) -> dict[str, int]:
    """Return the epochs that each pruned arm has had, by its label."""
    return {one["arm"]: decision["epoch"] for decision in rungs for one in decision["pruned"]}
