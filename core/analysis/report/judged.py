"""Tells which split of the data an outcome is of, on how many examples, and what a verdict on it holds for."""

from typing import Literal

import numpy as np

from core.analysis.shapes import JudgedOn
from core.analysis.statistics.intervals import Floats
from core.analysis.statistics.paired import PairErrors
from core.analysis.statistics.splits import resampled_errors
from core.datasets import DataError
from core.design import Design
from core.metrics import Measure, Metric, Split
from core.results import Results

SCOPE = {
    "split": "on this split",
    "splits": "on other splits of this data too, as every seed has its own, and intervals and p allow for the examples "
    "that splits share (Nadeau & Bengio 2003)",
}
"""The words for what a verdict holds for."""


def judged_on(results: Results, measure: Measure) -> JudgedOn:
    """Return the split of an outcome, None for what is of no split, such as a time, and the count of its examples.

    The count is None where the data is gone, and where arms have data sets of different size.
    """
    design = results.design
    metric = _metric(design, measure) if design.ranks else None
    split = None if metric is None else metric.split
    examples = None if split is None else _examples(design, split)
    return {"split": split, "examples": examples, "scope": _scope(design, split)}


def judged_sentence(found: JudgedOn, measure: Measure) -> list[str]:
    """Return what the split means for the verdict; nothing of what is not measured on examples held out."""
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


def split_errors(found: JudgedOn, results: Results, values: Floats) -> PairErrors | None:
    """Return the errors of the arms' mean differences that know of the split; None for those of the paired t.

    `values` are of the arms' runs, (arms, seeds).
    """
    if found["scope"] != "splits" or found["split"] is None:
        return None
    infos = [arm.training.info() for arm in results.design.arms if arm.training is not None]
    ratios = [getattr(info, found["split"]) / info.train for info in infos]
    return resampled_errors(values, np.array(ratios))


def _scope(design: Design, split: Split | None) -> Literal["split", "splits"] | None:
    """Return what a verdict holds for: this split, or splits of this data, if those that are judged on vary."""
    if split not in ("valid", "test"):
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
