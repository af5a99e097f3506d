"""The plot `reliability`: whether the arms are right as often as they are sure."""

from typing import Any

from matplotlib.figure import Figure

from core.classification import CONFIDENCE_BINS
from core.plots import Plot, plots
from core.plots.drawing.classified import base_of, classifies, error_note, heading, reliability
from core.plots.drawing.empty import draw_nothing
from core.plots.drawing.squares import draw_reliability, draw_squares
from core.plots.drawing.styles import MOST_ARMS, styled
from core.results import Results

ABOUT = (
    "Points: examples by the probability of the class that is named, and the share of them that is right; below the "
    "dashed line a model is too sure. Open points: under 1 % of the examples; bars: where the examples are."
)


@plots.register(
    formula="share of the examples that are named right by the mean probability of the named class, in 15 bins; ECE: "
    "the mean distance of the two, weighed by the examples; means over seeds with 95 % intervals",
    source="Guo, Pleiss, Sun & Weinberger 2017, arXiv:1706.04599; few examples make an ECE larger; counted when a run "
    "has ended: `evaluate.classification`",
    name="reliability",
)
def reliability_diagrams() -> Plot:
    """Share of the examples that is right by how sure the arms are, a panel an arm, and the calibration error."""
    return Plot(data, draw, classifies, part_of="classification")


def data(results: Results) -> dict[str, Any]:
    base, arms, notes = base_of(results, "reliability", "Confidence and what comes true", MOST_ARMS)
    if base["empty"]:
        return base
    found = [reliability(arm) for arm in arms]
    banded = any(row["low"] is not None for one in found for row in one["levels"])
    notes += [
        ABOUT,
        f"ECE: mean distance from the dashed line, in {CONFIDENCE_BINS} bins.",
        "Lines: 95 % intervals over the runs that have examples there." if banded else "",
    ]
    panels = [heading(arm, error_note(one)) | one for arm, one in zip(arms, found, strict=True)]
    return base | {"caption": " ".join(filter(None, notes)), "panels": panels}


@styled
def draw(data: dict[str, Any]) -> Figure:
    """Draw a panel an arm, or say why there is none."""
    return draw_nothing(data) if data["empty"] else draw_squares(data, draw_reliability)
