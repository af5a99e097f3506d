"""Tells what an experiment of a study decides about the change that it tries."""

from collections.abc import Sequence
from typing import NamedTuple

from core.analysis.report.verdict import quoted
from core.analysis.shapes import Comparison, DatasetsComparison, Report, StudyDecision, StudyReport
from core.design import Design
from core.metrics import Measure


class StudyRuling(NamedTuple):
    """The decision, the arm that is kept, and the adjusted p that it rests on; None: there is none."""

    decision: StudyDecision
    arm: str | None
    p: float | None


def study_ruling(report: Report) -> StudyRuling:
    """Return what a report with a baseline decides about the change that an experiment tried.

    An arm that is better than the baseline is kept: the first of them in the order of the arms. Where every arm is
    worse, or equivalent to it, the change is discarded; else it is inconclusive. A grid over data sets is decided by
    all sets together.
    """
    over = report["datasets"]
    order = report["verdict"]["order"]
    compared: Sequence[Comparison | DatasetsComparison] = report["comparisons"]
    if over is not None:  # of the sets together
        compared = over["comparisons"]
        order = [one["label"] for one in sorted(over["treatments"], key=lambda one: one["mean_rank"] or 0.0)]
    baseline = report["baseline"] if over is None else over["baseline"]
    against = {c["b"]: c for c in compared if c["a"] == baseline}
    better = [label for label in order if label in against and against[label]["decision"] == "worse"]
    if better:
        return StudyRuling("keep", better[0], against[better[0]]["p_adjusted"])
    p = min((c["p_adjusted"] for c in against.values() if c["p_adjusted"] is not None), default=None)
    settled = bool(against) and all(c["decision"] in ("better", "equivalent") for c in against.values())
    return StudyRuling("discard" if settled else "inconclusive", None, p)


def study_of(design: Design, measure: Measure, *, margin: float | None, alpha: float) -> StudyReport | None:
    """Return the study that an experiment is of, not decided yet; None too where it is judged otherwise than there."""
    there = (measure.name, margin, alpha) == (design.primary.name, design.margin, design.alpha)
    return {"name": design.study, "decision": None, "arm": None} if design.study is not None and there else None


def study_sentence(report: Report) -> list[str]:
    """Return the level that the study gave to the experiment, and what it decides there; nothing without a study."""
    study = report["study"]
    if study is None:
        return []
    name, level = quoted([study["name"]]), f"{report['alpha']:.3g}"
    if study["decision"] is None:
        return [f"The study {name} decides about the change once all runs have ended, at the level {level}."]
    arm = "" if study["arm"] is None else f" {quoted([study['arm']])}"
    return [f"In the study {name}, at the level {level} that it gave to this experiment: {study['decision']}{arm}."]
