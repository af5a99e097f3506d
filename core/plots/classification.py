"""The plot `classification`: all pictures of the classes on one page."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from core.plots import Plot, plots
from core.plots.drawing.classified import (
    about_bins,
    about_curves,
    about_many,
    area_note,
    base_of,
    classifies,
    confusion,
    confusion_note,
    curves,
    error_note,
    heading,
    reliability,
)
from core.plots.drawing.empty import draw_nothing
from core.plots.drawing.frames import frame
from core.plots.drawing.squares import Draw, draw_confusion, draw_curves, draw_reliability, head, margins, whole_names
from core.plots.drawing.styles import styled
from core.plots.drawing.text import wrap
from core.results import Results

MOST_ROWS = 8
"""Arms that one page has room for; the pictures of one kind have more."""
_SIZE, _LEFT, _BELOW, _ABOVE, _GAP, _LABEL = 2.5, 0.78, 0.5, 0.38, 0.22, 10.5
_DRAW: Mapping[str, Draw] = {
    "confusion": draw_confusion,
    "roc": draw_curves,
    "precision_recall": draw_curves,
    "reliability": draw_reliability,
}


@plots.register(
    formula="a row an arm: mean confusion matrix; ROC and precision by recall, mean over classes and seeds with its "
    "95 % Student t interval; share that is right by confidence",
    source="the plots confusion, roc, precision_recall and reliability, which have each of them larger (Hanley & "
    "McNeil 1982; Davis & Goadrich 2006; Guo et al. 2017); counted when a run has ended: `evaluate.classification`",
)
def classification() -> Plot:
    """Confusion matrix, ROC, precision and recall, and reliability of each arm, on one page."""
    return Plot(data, draw, classifies)


def data(results: Results) -> dict[str, Any]:
    base, arms, notes = base_of(results, "classification", "What is made of the classes", MOST_ROWS)
    if base["empty"]:
        return base
    rows = []
    for arm in arms:
        matrix, roc, recall = confusion(arm), curves(arm, "roc"), curves(arm, "precision_recall")
        sure = reliability(arm)
        parts = {
            "confusion": matrix | {"note": confusion_note(matrix)},
            "roc": roc | {"note": area_note(roc)},
            "precision_recall": recall | {"note": area_note(recall)},
            "reliability": sure | {"note": error_note(sure)},
        }
        rows.append(heading(arm, "") | {"parts": parts})
    drawn = [one["parts"][kind] for one in rows for kind in ("roc", "precision_recall")]
    notes += [
        "Matrix: percent of the class in a row that is named the class of a column; brighter: more, by the root.",
        about_curves(drawn),
        "Dashed: a guess; of confidences: as often right as sure.",
        about_bins(drawn),
        about_many(arms),
    ]
    return base | {"caption": " ".join(filter(None, notes)), "panels": rows}


@styled
def draw(data: dict[str, Any]) -> Figure:
    """Draw a row an arm, or say why there is none."""
    if data["empty"]:
        return draw_nothing(data)
    rows = data["panels"]
    matrices = [row["parts"]["confusion"] for row in rows]
    first, below = margins(matrices, _SIZE)
    caption = " ".join(filter(None, [data["caption"], whole_names(matrices, _SIZE)]))
    lefts = (first, *[_LEFT] * (len(_DRAW) - 1))
    wide = sum(lefts) + len(lefts) * (_SIZE + 0.15)
    titles = [wrap(f"{row['title']}  ({row['note']})", _LABEL * 1.1, wide - 0.2) for row in rows]
    line = _LABEL * 1.3 / 72
    heights = [len(title) * line + _ABOVE + _SIZE + below + _BELOW + _GAP for title in titles]
    place = frame(data["title"], caption, wide, sum(heights))
    top = sum(heights)
    across, down = place.figure.get_size_inches()
    for row, title, height in zip(rows, titles, heights, strict=True):
        bottom, left = top - height + _GAP + _BELOW + below, 0.0
        at = (place.left / across, (place.bottom + top) / down)
        place.figure.text(*at, "\n".join(title), size=_LABEL, weight="bold", va="top", linespacing=1.25)
        for margin, (kind, draw_part) in zip(lefts, _DRAW.items(), strict=True):
            left += margin
            axes = place.axes(left, bottom, _SIZE, _SIZE)
            part = row["parts"][kind]
            draw_part(axes, part, _SIZE)
            head(axes, [], part["note"], _SIZE)
            left += _SIZE + 0.15
        top -= height
    return place.figure
