"""The plot `roc`: how well the arms rank the examples of a class above the others."""

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
    formula="true positive rate by false positive rate of every threshold, each class against the others; the mean "
    "over classes run by run, then over seeds with its 95 % Student t interval at every rate; area: AUC, ties half",
    source="Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747; vertical averages: Fawcett 2006, "
    "doi:10.1016/j.patrec.2005.10.010; scores in 1,001 bins: `evaluate.classification`",
)
def roc() -> Plot:
    """ROC curves, a panel an arm: what is found of a class by how many others are taken for it."""
    return Plot(data, draw, classifies, part_of="classification")


def data(results: Results) -> dict[str, Any]:
    base, arms, notes = base_of(results, "roc", "ROC", MOST_ARMS)
    if base["empty"]:
        return base
    found = [curves(arm, "roc") for arm in arms]
    notes += [about_curves(found), "Dashed: a guess.", about_bins(found), about_many(arms)]
    panels = [heading(arm, area_note(one)) | one for arm, one in zip(arms, found, strict=True)]
    return base | {"caption": " ".join(filter(None, notes)), "panels": panels}


@styled
def draw(data: dict[str, Any]) -> Figure:
    """Draw a panel an arm, or say why there is none."""
    return draw_nothing(data) if data["empty"] else draw_squares(data, draw_curves)
