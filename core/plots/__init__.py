"""Pictures of experiments: each is two functions, results -> data and data -> figure."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from matplotlib.figure import Figure

from core.design import Design
from core.plots.drawing.progress_axes import By
from core.plots.drawing.render import Format, Look, Theme, picture, pictures, render
from core.plots.drawing.requested import plot_data
from core.registry import Registry
from core.results import Results


def always(_design: Design) -> bool:
    """Return true: a plot of every experiment."""
    return True


@dataclass(frozen=True)
class Plot:
    """`data` is plain and JSON-able (NaN as None), with `title` and `caption`; `draw` uses nothing else."""

    data: Callable[[Results], dict[str, Any]]
    draw: Callable[[dict[str, Any]], Figure]
    applies: Callable[[Design], bool] = lambda design: design.ranks
    """Returns whether an experiment has the data; a picture of one without says so. Runs of a range test and
    of a coordinate check have only what updates have."""
    part_of: str = ""
    """The name of the plot that shows it among others, and stands for it in a report; empty: there is none."""


plots = Registry("plot", __name__)


def suitable(design: Design) -> dict[str, str]:
    """Return the plots that apply to an experiment, by name, each with its summary."""
    return {name: summary for name, summary, plot in _described() if plot.applies(design)}


def reported(design: Design) -> dict[str, str]:
    """Return those of the `suitable` plots that stand in a report: none that is part of another."""
    return {name: summary for name, summary, plot in _described() if plot.applies(design) and not plot.part_of}


@cache
def _described() -> list[tuple[str, str, Plot]]:
    return [(name, plots.describe(name)["summary"], plots.parse(name).build()) for name in plots]


__all__ = [
    "By",
    "Format",
    "Look",
    "Plot",
    "Theme",
    "always",
    "picture",
    "pictures",
    "plot_data",
    "plots",
    "render",
    "reported",
    "suitable",
]
