"""Decides treatments over several data sets, each of which is a block that counts once."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.analysis.statistics.blocks import block_effects, block_scale, ranked
from core.analysis.statistics.chances import sign_flip
from core.analysis.statistics.decisions import DecisionRule, Decisions, decide, settled
from core.analysis.statistics.intervals import Floats
from core.analysis.statistics.lost_runs import flipped, rank_differences
from core.design import FEWEST_PAIRS


class Block(NamedTuple):
    """One data set: the values of its treatments' runs (treatments, seeds), NaN where there is none, and those lost."""

    values: Floats
    lost: NDArray[np.bool_]


class BlockDecisions(NamedTuple):
    """The pairs of treatments as all blocks together decide them."""

    effects: Floats
    """Of each treatment on each block, (treatments, blocks), in the outcome's unit."""
    scales: Floats
    """By block; NaN where nothing varies."""
    decisions: Decisions
    """Of effects in standard deviations of a paired difference."""
    differences: Floats
    """Mean differences of effects, (treatments, treatments), in the outcome's unit."""
    ranks: Floats
    """Of each treatment on each block, (blocks, treatments)."""


def decide_over_blocks(blocks: Sequence[Block], rule: DecisionRule) -> BlockDecisions:
    """Decide every pair of treatments over the blocks.

    A treatment's effect on each block is its mean less that of all, by least squares where runs are missing, in
    standard deviations of a paired difference there, so that no block counts for more because its outcome varies more;
    a block where nothing varies has no scale, and is in no difference. They are decided as values of seeds are:
    Student's t over the blocks, D - 1 degrees of freedom. The rule's margin, which is in the outcome's unit, is asked
    of the effects as they are, and treatments that are equivalent within it do not beat one another.

    Where a run of a pair was lost on any block, no means of survivors decide: on every block the runs of the two are
    ranked together, lost ones tied last (`worst_rank_tests`). The signs of the blocks' mean differences of ranks are
    flipped, and those of the seeds' on all blocks; the larger p decides, so that two treatments of which one loses some
    runs on every block are told apart by many blocks no sooner than by as many seeds. Three blocks are needed, and
    where one treatment lost all runs on all D blocks and the other none p is 2·4^(-D).
    """
    effects = np.stack([block_effects(one.values) for one in blocks], axis=1)
    scales = np.array([block_scale(one.values) for one in blocks])
    none = np.zeros(effects.shape, dtype=bool)
    plain = decide(effects / scales, none, replace(rule, margin=None))
    within = decide(effects, none, rule)
    test, p = plain.test.copy(), plain.p.copy()
    direction, p_equivalence = rule.sign * plain.found.difference, within.p_equivalence.copy()
    low, high = plain.ci_low.copy(), plain.ci_high.copy()
    away = np.any([one.lost.any(axis=1) for one in blocks], axis=0)
    for i, j in np.argwhere(np.triu(away[:, None] | away, k=1)):
        for field in (p, p_equivalence, low, high):
            field[i, j] = field[j, i] = np.nan
        test[i, j] = test[j, i] = ""
        if not rule.ranks_lost or (rule.baseline is not None and rule.baseline not in (i, j)):
            continue
        found, mean = _by_ranks(blocks, int(i), int(j), rule.sign)
        if np.isfinite(found):
            test[i, j] = test[j, i] = "ranks"
            p[i, j] = p[j, i] = found
            direction[i, j], direction[j, i] = mean, -mean
    finished = np.any([(one.lost | np.isfinite(one.values)).any(axis=1) for one in blocks], axis=0)
    decisions = settled(
        found=plain.found,
        together=(low, high),
        test=test,
        p=p,
        p_equivalence=p_equivalence,
        direction=direction,
        finished=finished,
        rule=rule,
    )
    return BlockDecisions(effects, scales, decisions, within.found.difference, _ranks(blocks, effects, rule))


def _by_ranks(blocks: Sequence[Block], i: int, j: int, sign: int) -> tuple[float, float]:
    """Return p of two treatments by ranks, NaN for fewer than three blocks, and the mean difference of their ranks."""
    pair = [i, j]
    each = [rank_differences(sign * one.values[pair], one.lost[pair]) for one in blocks]
    found = np.array([d.mean() / len(d) for d in each if len(d)])
    if len(found) < FEWEST_PAIRS:
        return np.nan, np.nan
    kept, gone = (
        [any(one[k].any() for one in part) for k in pair]
        for part in ([np.isfinite(one.values) for one in blocks], [one.lost for one in blocks])
    )
    if any(not kept[k] and not gone[1 - k] for k in (0, 1)):
        return 2.0 * 4.0 ** -len(found), float(found.mean())
    return max(float(sign_flip(found[None, :])[0]), flipped(np.concatenate(each))), float(found.mean())


def _ranks(blocks: Sequence[Block], effects: Floats, rule: DecisionRule) -> Floats:
    """Return ranks by the share of lost runs, and among equal ones by the effect: survivors lead nobody."""
    gone = np.array([one.lost.sum(axis=1) for one in blocks])
    ended = gone + np.array([np.isfinite(one.values).sum(axis=1) for one in blocks])
    shares = gone / np.maximum(ended, 1)
    return ranked(effects.T, rule.sign, shares if rule.ranks_lost else np.zeros_like(shares))
