"""The plot `confusion`: which classes are taken for which."""

from typing import Any

from matplotlib.figure import Figure

from core.plots import Plot, plots
from core.plots.drawing.classified import about_many, base_of, classifies, confusion, confusion_note, heading
from core.plots.drawing.empty import draw_nothing
from core.plots.drawing.squares import draw_confusion, draw_squares
from core.plots.drawing.styles import MOST_ARMS, styled
from core.results import Results


@plots.register(
    formula="share of each class's examples in the judged split that is named each class, and their number: means over "
    "the seeds of an arm; in the data the 95 % Student t interval of every share",
    source="counted when a run has ended, with the weights that it ends with: `evaluate.classification`; colours: "
    "cividis (Nuñez, Anderton & Renslow 2018, doi:10.1371/journal.pone.0199239)",
    name="confusion",
)
def confusion_matrices() -> Plot:
    """Confusion matrices, one an arm: which classes are taken for which, in percent of the examples of each."""
    return Plot(data, draw, classifies, part_of="classification")


def data(results: Results) -> dict[str, Any]:
    base, arms, notes = base_of(results, "confusion", "Classes taken for others", MOST_ARMS)
    if base["empty"]:
        return base
    matrices = [confusion(arm) for arm in arms]
    some = next((one for one in matrices if one["classes"]), None)
    notes += [
        "In a cell: percent of its row, and examples in a run, both means over the runs that have been judged. "
        "Brighter: more, by the root of the share.",
        about_many(arms),
    ]
    if some is not None and len(some["classes"]) <= 4 and some["low"] is not None:
        notes.append("Between: 95 % interval (Student t; of two runs their range).")
    panels = [heading(arm, confusion_note(one)) | one for arm, one in zip(arms, matrices, strict=True)]
    return base | {"caption": " ".join(filter(None, notes)), "panels": panels}


@styled
def draw(data: dict[str, Any]) -> Figure:
    """Draw a matrix an arm, or say why there is none."""
    return draw_nothing(data) if data["empty"] else draw_squares(data, draw_confusion)
