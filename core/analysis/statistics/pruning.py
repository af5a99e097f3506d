"""Prunes arms before their last epoch: those that are worse than the best beyond doubt."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.analysis.statistics.intervals import Floats
from core.analysis.statistics.paired import compare, family_adjusted
from core.design import FEWEST_PAIRS, Design

Decision = Mapping[str, Any]
"""The decision of one look, plain and JSON-able: `epoch`, `metric`, `looks`, `level`, the number of `arms` compared,
and the comparisons of those that are `pruned`."""


@dataclass(frozen=True, kw_only=True)
class RungRule:
    """The rule by which arms are pruned before their last epoch: at one of `looks` looks, all together at a level."""

    metric: str
    """The metric by epoch that arms are compared by."""
    looks: int
    level: float


def decide_rung(design: Design, rule: RungRule, *, epoch: int, values: Floats, gone: Collection[str]) -> Decision:
    """Judge the arms after so many epochs; what is decided depends on the numbers alone.

    `values` are those of the judged metric at that epoch, (arms, seeds) in the design's order, NaN where a run has
    none: it diverged or failed. Arms whose labels are `gone` were pruned before. Of the others those in the worse half
    by their mean are pruned whose paired difference from the best is significant: `p_adjusted`, by Holm over all pairs
    of arms (the data chose the best) and by Bonferroni over the looks, is below the level. An arm with fewer than three
    pairs is not, nor is the baseline.
    """
    sign, labels, looks = design.metrics[rule.metric].sign, design.labels, rule.looks
    values = np.where(np.isin(labels, list(gone))[:, None], np.nan, values)
    mean = [float(row[np.isfinite(row)].mean()) if np.isfinite(row).any() else None for row in values]
    order = sorted((i for i, m in enumerate(mean) if m is not None), key=lambda i: -sign * (mean[i] or 0.0))
    decision = {"epoch": epoch, "metric": rule.metric, "looks": looks, "level": rule.level}
    if len(order) < 2:
        return {**decision, "arms": len(order), "pruned": []}
    found = compare(values)
    adjusted = np.minimum(1.0, looks * family_adjusted(found.p, None))
    best = order[0]
    pruned = [
        {
            "arm": labels[i],
            "best": labels[best],
            "n": int(found.n[best, i]),
            **{name: float(getattr(found, name)[best, i]) for name in ("difference", "ci_low", "ci_high", "p")},
            "p_adjusted": float(adjusted[best, i]),
        }
        for i in order[(len(order) + 1) // 2 :]
        if labels[i] != design.baseline
        and found.n[best, i] >= FEWEST_PAIRS
        and sign * found.difference[best, i] > 0
        and adjusted[best, i] < rule.level
    ]
    return {**decision, "arms": len(order), "pruned": pruned}


def pruned_arms(rungs: Collection[Decision]) -> dict[str, int]:
    """Return the epochs that each pruned arm has had, by its label."""
    return {one["arm"]: decision["epoch"] for decision in rungs for one in decision["pruned"]}
