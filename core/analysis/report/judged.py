"""Tells which split of the data an outcome is of, and on how many examples."""

from core.analysis.shapes import JudgedOn
from core.datasets import DataError
from core.design import Design
from core.metrics import Measure, Metric, Split
from core.results import Results


def judged_on(results: Results, measure: Measure) -> JudgedOn:
    """Return the split of an outcome, None for what is of no split, such as a time, and the count of its examples.

    The count is None where the data is gone, and where arms have data sets of different size.
    """
    design = results.design
    metric = _metric(design, measure)
    split = None if metric is None else metric.split
    return {"split": split, "examples": None if split is None else _examples(design, split)}


def judged_sentence(found: JudgedOn, measure: Measure) -> list[str]:
    """Return what the split means for the verdict; nothing of what is not measured on examples held out."""
    if found["split"] not in ("valid", "test"):
        return []
    n = found["examples"]
    of = "the examples" if n is None else f"{n:,} example{'' if n == 1 else 's'}"
    if found["split"] == "test":
        return [f"Judged once, on {of} of the test split, by which nothing was stopped or chosen: on this split."]
    text = f"Judged on {of} of the validation split: on this split."
    if not isinstance(measure, Metric):
        text += " The best of all epochs is optimistic, the more so the more an arm's epochs jump."
    return [text]


def _metric(design: Design, measure: Measure) -> Metric | None:
    """Return the metric that an outcome is the last or the best value of."""
    return design.metrics.get(measure.name.removeprefix("best_"))


def _examples(design: Design, split: Split) -> int | None:
    try:
        counts = {getattr(arm.training.info(), split) for arm in design.arms if arm.training is not None}
    except DataError:
        return None
    return counts.pop() if len(counts) == 1 else None
