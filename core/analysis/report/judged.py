"""Tells which split of the data an outcome is of, on how many examples, and what a verdict on it holds for."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.analysis.shapes import JudgedOn
from core.analysis.statistics.intervals import Floats, Summary
from core.analysis.statistics.paired import PairErrors
from core.analysis.statistics.splits import over_splits, resampled_errors, two_way_errors
from core.datasets import DataError
from core.design import Design
from core.metrics import Measure, Metric, Split
from core.results import Results

MOST_ARMS = 64
"""Arms up to which pairs are compared example by example."""
SCOPE = {
    "split": "on this split",
    "examples": "for other examples like these too, by seeds and examples as two random effects (Owen 2007), with the "
    "training split as it is",
    "splits": "on other splits of this data too, as every seed has its own, and intervals and p allow for the examples "
    "that splits share (Nadeau & Bengio 2003)",
}
"""The words for what a verdict holds for."""


def judging(results: Results, measure: Measure, values: Floats) -> tuple[JudgedOn, PairErrors | None]:
    """Return what a verdict on an outcome is on, and the errors of the arms' mean differences that know of it.

    `values` are of the arms' runs, (arms, seeds). The split is None for what is of no split, such as a time; the count
    of examples None where the data is gone, and where arms have data sets of different size. The errors are None for
    those of the paired t.
    """
    design = results.design
    metric = _metric(design, measure) if design.ranks else None
    split = None if metric is None else metric.split
    examples = None if split is None else _examples(design, split)
    found: JudgedOn = {"split": split, "examples": examples, "scope": _scope(design, split)}
    if found["scope"] == "splits" and split is not None:
        return found, _of_splits(design, split, values)
    if design.looks:  # where each look decides by the seeds until then
        return found, None
    if found["scope"] == "split" and split == design.split and measure.name == f"{split}_accuracy":
        errors = _of_examples(results, values)
        if errors is not None:
            return {**found, "scope": "examples"}, errors
    return found, None


def judged_sentence(found: JudgedOn, measure: Measure) -> list[str]:
    """Return what the split means for the verdict; nothing of what is not measured on examples held out.

    Nor of what somebody else measures: the name of a metric says its split, but not whether runs share it.
    """
    if found["scope"] is None:
        return []
    n = found["examples"]
    of = "the examples" if n is None else f"{n:,} example{'' if n == 1 else 's'}"
    tested = found["split"] == "test"
    how = "the test split, by which nothing was stopped or chosen" if tested else "the validation split"
    text = f"Judged{' once,' if tested else ''} on {of} of {how}: {SCOPE[found['scope']]}."
    if not isinstance(measure, Metric):
        text += " The best of all epochs is optimistic, the more so the more an arm's epochs jump."
    return [text]


def own_intervals(design: Design, measure: Measure, found: list[Summary]) -> list[Summary]:
    """Return the arms' summaries in an outcome; where every seed has a split of its own, with intervals that know."""
    metric = _metric(design, measure) if design.splits_vary and design.ranks else None
    if metric is None or metric.split is None or _scope(design, metric.split) != "splits":
        return found
    return over_splits(found, _ratios(design, metric.split))


def _of_splits(design: Design, split: Split, values: Floats) -> PairErrors:
    return resampled_errors(values, _ratios(design, split))


def _ratios(design: Design, split: Split) -> Floats:
    """Return examples that are judged over those trained on, of each arm."""
    infos = [arm.training.info() for arm in design.arms if arm.training is not None]
    return np.array([getattr(info, split) / info.train for info in infos])


def _of_examples(results: Results, values: Floats) -> PairErrors | None:
    """Return the errors over seeds and examples; None where they are not stored of every run that has a value."""
    design = results.design
    if len(design.arms) > MOST_ARMS:
        return None
    stored = results.correct()
    if not stored:
        return None
    arms, seeds = ({of: i for i, of in enumerate(every)} for every in (design.labels, design.seeds))
    right: dict[tuple[int, int], NDArray[np.bool_]] = {}
    for run in results.runs:
        at = arms[run.arm], seeds[run.seed]
        if np.isfinite(values[at]):
            if run.id not in stored:
                return None
            right[at] = stored[run.id]
    return two_way_errors(right, len(arms), len(seeds)) if len({len(one) for one in right.values()}) == 1 else None


def _scope(design: Design, split: Split | None) -> Literal["split", "splits"] | None:
    """Return what a verdict holds for: this split, or splits of this data, if those that are judged on vary."""
    if split not in ("valid", "test") or not design.trained_here:
        return None
    try:
        own = [split in arm.training.info().own for arm in design.arms if arm.training is not None]
    except DataError:
        return "split"
    return "splits" if design.splits_vary and own and not any(own) else "split"


def _metric(design: Design, measure: Measure) -> Metric | None:
    """Return the metric that an outcome is the last or the best value of."""
    return design.metrics.get(measure.name.removeprefix("best_"))


def _examples(design: Design, split: Split) -> int | None:
    try:
        counts = {getattr(arm.training.info(), split) for arm in design.arms if arm.training is not None}
    except DataError:
        return None
    return counts.pop() if len(counts) == 1 else None
