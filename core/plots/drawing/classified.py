"""Data of pictures of what runs make of the classes: means over the seeds of an arm, with their intervals."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from core.analysis import summarize
from core.analysis.statistics import scores
from core.classification import MOST_CLASSES, SCORE_BINS, ClassSummary
from core.datasets import DataError
from core.design import Design
from core.finite import finite_list, finite_or_none
from core.plots.drawing.bands import SHARE, ends
from core.plots.drawing.curves import Arms, arms_drawn, described, sample
from core.plots.drawing.empty import ALL_DIVERGED, all_diverged
from core.plots.drawing.frames import plain_number
from core.results import Results

Floats = NDArray[np.float64]
TIED = 0.05
"""Difference that an area may have because examples share bins, from which they are said to be tied."""


class Classified(NamedTuple):
    """An arm's summaries: its label, what is shown of it, a note on its runs, its classes, one summary a run."""

    label: str
    shown: str
    note: str
    classes: list[str]
    summaries: list[ClassSummary]


def classifies(design: Design) -> bool:
    """Return whether an experiment compares classifiers that initlab trains."""
    score = design.score
    return design.ranks and design.trained_here and score is not None and score.quantity == "accuracy"


def base_of(results: Results, plot: str, title: str, most: int) -> tuple[dict[str, Any], list[Classified], list[str]]:
    """Return what such a picture's data begin with, the arms to draw, and the sentences of its caption.

    `empty` says why there is nothing to draw, where that is so.
    """
    arms = arms_drawn(results, most)
    split = "test" if (results.whole or results).design.split == "test" else "validation"
    found = _classified(results, arms)
    base = {"plot": plot, "title": f"{title}: {results.design.name}", "empty": "", "panels": []}
    if not any(arm.summaries for arm in found):
        return base | {"empty": _why_empty(results), "caption": sample(results)}, [], []
    each = "of its own, " if results.design.splits_vary else ""
    judged = {summary.examples for arm in found for summary in arm.summaries}
    n = f"{judged.pop():,} examples of the" if len(judged) == 1 else "the examples of the"
    notes = [sample(results), f"Each run is judged once, at its end, on {n} {split} split{', ' + each if each else ''}"]
    notes[-1] = notes[-1].rstrip(", ") + "."
    return base, found, [*notes, arms.note]


def _classified(results: Results, arms: Arms) -> list[Classified]:
    stored = results.classified()
    found = []
    for one in described(arms, results):
        label = one["label"]
        mine = [stored[run.id] for run in results.runs if run.arm == label and run.id in stored]
        mine = [summary for summary in mine if summary.scores.shape == mine[0].scores.shape]
        names = _classes(results.design, label, max((len(one.confusion) for one in mine), default=0))
        found.append(Classified(label, one.get("shown", label), one["note"], names, mine))
    return found


def _classes(design: Design, label: str, count: int) -> list[str]:
    training = design.arm(label).training
    try:
        names = training.info().classes if training is not None else ()
    except DataError:
        names = ()
    return list(names) if len(names) == count else [str(i) for i in range(count)]


def _why_empty(results: Results) -> str:
    if not classifies(results.design):
        return "No classifier is judged in this experiment: there are no classes."
    if any(run.status in ("queued", "running") for run in results.runs):
        return "No run has been judged yet: that is done when it has ended."
    if all_diverged(results):
        return ALL_DIVERGED
    return "It is not stored what the runs make of the classes: see evaluate.classification."


def heading(arm: Classified, note: str) -> dict[str, Any]:
    """Return what every panel has: the arm's label, its title, and a note."""
    n = len(arm.summaries)
    said = ", ".join(filter(None, [f"N = {n}", note, arm.note]))
    return {"label": arm.label, "title": arm.shown, "note": said, "n": n}


def confusion(arm: Classified) -> dict[str, Any]:
    """Return the mean confusion matrix: of each class the share that is named so, its interval, and counts."""
    counts = np.array([one.confusion for one in arm.summaries], dtype=np.float64)
    if not counts.size:
        return {"classes": [], "share": [], "low": None, "high": None, "count": [], "accuracy": None, "mistakes": []}
    with np.errstate(all="ignore"):
        shares = counts / counts.sum(axis=2, keepdims=True)
    mean = shares.mean(axis=0)
    low, high = _interval(shares, mean)
    right = np.trace(counts, axis1=1, axis2=2) / counts.sum(axis=(1, 2))
    return {
        "classes": arm.classes,
        "share": _table(mean),
        "low": None if low is None else _table(low),
        "high": None if high is None else _table(high),
        "count": counts.mean(axis=0).tolist(),
        "accuracy": _summary(right),
        "mistakes": _mistakes(mean, arm.classes),
    }


def _mistakes(share: Floats, classes: Sequence[str], most: int = 5) -> list[dict[str, Any]]:
    """Return the classes that are most often taken for another one, the most frequent first."""
    wrong = np.nan_to_num(share * (1 - np.eye(len(share))))
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    pairs = [divmod(int(at), len(share)) for at in order]
    return [
        {"actual": classes[i], "named": classes[j], "share": float(wrong[i, j])} for i, j in pairs if wrong[i, j] > 0
    ]


def curves(arm: Classified, kind: str) -> dict[str, Any]:
    """Return the `roc` or `precision_recall` curves of an arm: of each class its mean, and of all the mean and band."""
    line, area = (scores.roc, scores.auc) if kind == "roc" else (scores.precision, scores.average_precision)
    x = scores.RATES if kind == "roc" else scores.RECALLS
    names = ("false positive rate", "true positive rate") if kind == "roc" else ("recall", "precision")
    base = {"kind": kind, "x": rate(names[0]), "y": rate(names[1])}
    counts = [one.scores for one in arm.summaries if len(one.scores)]
    if not counts:
        return base | {"lines": [], "area": None, "classes": [], "base": None, "off": 0.0}
    found = np.array([[line(one) for one in run] for run in counts])  # (runs, classes, points)
    areas = np.array([[area(one) for one in run] for run in counts])  # (runs, classes, 3)
    with np.errstate(all="ignore"):
        of_runs = _mean(found, axis=1)
        whole = _mean(areas, axis=1)
        shares = np.array([run[:, 1].sum(1) / run.sum((1, 2)) for run in counts]).mean(axis=0)
    mean = _mean(of_runs, axis=0)
    low, high = _interval(of_runs, mean)
    classes = arm.classes if len(arm.classes) == found.shape[1] else arm.classes[1:]
    by_class = _mean(areas[:, :, 0], axis=0)
    lines = [] if len(classes) < 2 else [_line("class", x, _mean(found[:, i], axis=0)) for i in range(len(classes))]
    return base | {
        "lines": [*lines, _line("mean", x, mean, low, high)],
        "area": _summary(whole[:, 0]),
        "classes": [{"name": name, "area": finite_or_none(by_class[i])} for i, name in enumerate(classes)],
        "base": finite_or_none(float(np.mean(shares))),
        "off": float(np.nanmax(np.abs(whole[:, 1:] - whole[:, :1]), initial=0.0)),
    }


def reliability(arm: Classified) -> dict[str, Any]:
    """Return the mean confidence and the share that is right in each bin, with the interval over seeds; and the ECE."""
    found = np.array([scores.levels(one.confidence) for one in arm.summaries])  # (runs, 3, bins)
    axes = {"x": rate("confidence in the class that is named"), "y": rate("share that is right")}
    if not found.size:
        return axes | {"levels": [], "error": None}
    rows = []
    for at in range(found.shape[2]):
        confidence, right, share = found[:, :, at].T
        if not share.any():
            continue
        there = right[np.isfinite(right)]
        low, high = _interval(there, there.mean())
        rows.append(
            {
                "confidence": float(np.nanmean(confidence)),
                "right": float(there.mean()),
                "low": None if low is None else float(low),
                "high": None if high is None else float(high),
                "share": float(share.mean()),
                "n": len(there),
            }
        )
    errors = np.array([scores.calibration_error(one.confidence) for one in arm.summaries])
    return axes | {"levels": rows, "error": _summary(errors)}


def about_bins(panels: Sequence[dict[str, Any]]) -> str:
    """Return the caption's note on what the bins of the scores can do to the areas."""
    off = [panel["off"] for panel in panels if panel["lines"]]
    told = max((one for one in off if one <= TIED), default=0.0)
    tied = " (of an arm whose scores are nearly all equal, by more)" if any(one > TIED for one in off) else ""
    bins = f"Scores are kept in {SCORE_BINS:,} bins"
    return f"{bins}: of the exact scores an area may differ by {plain_number(told, 1)} at most{tied}."


def about_curves(panels: Sequence[dict[str, Any]]) -> str:
    """Return the caption's explanation of the lines."""
    many = any(len(one["classes"]) > 1 for one in panels)
    thick = "Thick: mean over classes and runs" if many else "Line: mean over runs"
    thin = "; thin: each class against the others" if many else ""
    banded = any(line["low"] is not None for one in panels for line in one["lines"])
    band = " Band: 95 % interval over seeds (Student t; of two runs their range)." if banded else ""
    return f"{thick}{thin}.{band}"


def area_note(one: dict[str, Any]) -> str:
    """Return the note of a panel of curves: its area, and that of the class with the least."""
    if one["area"] is None:
        return ""
    known = [(c["area"], c["name"]) for c in one["classes"] if c["area"] is not None]
    least = f"; least: {min(known)[1]}, {min(known)[0]:.3f}" if len(known) > 1 else ""
    return f"{'AUC' if one['kind'] == 'roc' else 'AP'} {written(one['area'], share=False)}{least}"


def about_many(arms: Sequence[Classified]) -> str:
    """Return the caption's note on arms of more classes than are counted; empty where there is none."""
    return (
        f"Of more than {MOST_CLASSES} classes only confidences are kept."
        if any(arm.summaries and not arm.classes for arm in arms)
        else ""
    )


def rate(label: str) -> dict[str, Any]:
    """Return an axis of shares from 0 to 1."""
    return {"label": label, "scale": "linear", "kind": "share", "limits": (-0.02, 1.02), "ticks": 5}


def confusion_note(one: dict[str, Any]) -> str:
    """Return the note of a matrix: the share that is right, and the most frequent mistake."""
    if one["accuracy"] is None:
        return ""
    right = f"right {written(one['accuracy'])}"
    if not one["mistakes"]:
        return right
    worst = one["mistakes"][0]
    return f"{right}; most often {worst['actual']} is taken for {worst['named']}: {100 * worst['share']:.1f} %"


def error_note(one: dict[str, Any]) -> str:
    """Return the note of a reliability diagram: the calibration error."""
    return "" if one["error"] is None else f"ECE {written(one['error'])}"


def written(summary: dict[str, Any] | None, share: bool = True) -> str:
    """Return a mean with its interval as text, in percent or with three digits."""
    if summary is None or summary["mean"] is None:
        return "none"

    def write(value: float) -> str:
        return f"{100 * value:.1f}" if share else f"{value:.3f}"

    unit = " %" if share else ""
    if summary["ci_low"] is None or summary["ci_high"] is None:
        return f"{write(summary['mean'])}{unit}"
    return f"{write(summary['mean'])}{unit} ({write(summary['ci_low'])} to {write(summary['ci_high'])})"


def _summary(values: Floats) -> dict[str, Any]:
    """Return the mean of shares (runs,) with the ends of its interval."""
    summary = summarize(values)
    low, high = ends(values, summary.ci_low, summary.ci_high, SHARE)
    found = {name: finite_or_none(getattr(summary, name)) for name in ("n", "mean", "sd")}
    return found | {"ci_low": low, "ci_high": high, "interval": summary.interval}


def _table(values: Floats) -> list[list[float | None]]:
    return [finite_list(row) for row in values]


def _line(role: str, x: Floats, y: Floats, low: Floats | None = None, high: Floats | None = None) -> dict[str, Any]:
    ends = [None if end is None else finite_list(end) for end in (low, high)]
    return {"arm": 0, "role": role, "x": x.tolist(), "y": finite_list(y), "low": ends[0], "high": ends[1]}


def _interval(values: Floats, mean: Floats) -> tuple[Floats, Floats] | tuple[None, None]:
    """Return the 95 % Student t interval of the mean of shares (runs, ...), within 0 and 1; of two runs the two."""
    n = len(values)
    if n == 1:
        return None, None
    if n == 2:
        return values.min(axis=0), values.max(axis=0)
    half = stdtrit(n - 1, 0.975) * values.std(axis=0, ddof=1) / np.sqrt(n)
    return np.clip(mean - half, 0, 1), np.clip(mean + half, 0, 1)


def _mean(values: Floats, axis: int) -> Floats:
    """Return means of what is finite; NaN of nothing."""
    there = np.isfinite(values)
    with np.errstate(all="ignore"):
        return np.asarray(np.where(there, values, 0.0).sum(axis=axis) / there.sum(axis=axis))
