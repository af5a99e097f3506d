"""The plot `precision_recall`: how many of what is named a class are of it, by how many of it are found."""

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
    curves,
    heading,
)
from core.plots.drawing.empty import draw_nothing
from core.plots.drawing.squares import draw_curves, draw_squares
from core.plots.drawing.styles import MOST_ARMS, styled
from core.results import Results


@plots.register(
    formula="precision of the highest threshold that comes to a recall, each class against the others; the mean over "
    "classes run by run, then over seeds with its 95 % Student t interval at every recall; area: average precision",
    source="average precision as scikit-learn has it; no straight lines between points: Davis & Goadrich 2006, "
    "doi:10.1145/1143844.1143874; scores in 1,001 bins: `evaluate.classification`",
)
def precision_recall() -> Plot:
    """Precision by recall, a panel an arm: the share that is right of what is named a class, by what is found of it."""
    return Plot(data, draw, classifies, part_of="classification")


def data(results: Results) -> dict[str, Any]:
    base, arms, notes = base_of(results, "precision_recall", "Precision and recall", MOST_ARMS)
    if base["empty"]:
        return base
    found = [curves(arm, "precision_recall") for arm in arms]
    notes += [about_curves(found), "Dashed: a guess, the share of the class.", about_bins(found), about_many(arms)]
    panels = [heading(arm, area_note(one)) | one for arm, one in zip(arms, found, strict=True)]
    return base | {"caption": " ".join(filter(None, notes)), "panels": panels}


@styled
def draw(data: dict[str, Any]) -> Figure:
    """Draw a panel an arm, or say why there is none."""
    return draw_nothing(data) if data["empty"] else draw_squares(data, draw_curves)
