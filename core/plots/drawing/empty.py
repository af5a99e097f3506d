"""The picture drawn where there is no data, which says why."""

from typing import Any

from matplotlib.figure import Figure

from core.plots.drawing.frames import frame
from core.plots.drawing.styles import GREY
from core.plots.drawing.text import wrap
from core.results import Results

ALL_DIVERGED = "Every run diverged: nothing was judged."
_WIDE, _HIGH, _SIZE = 7.0, 2.4, 11.0


def all_diverged(results: Results) -> bool:
    """Return whether an experiment has runs and every one of them diverged."""
    return bool(results.runs) and all(run.outcome == "diverged" for run in results.runs)


def draw_nothing(data: dict[str, Any]) -> Figure:
    """Draw title and caption, and between them the sentence of `empty`."""
    place = frame(data["title"], data["caption"], _WIDE, _HIGH)
    axes = place.axes(0, 0, _WIDE, _HIGH)
    axes.set_axis_off()
    text = "\n".join(wrap(data["empty"], _SIZE, _WIDE - 1.0))
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", size=_SIZE, color=GREY)
    return place.figure
