"""Pictures of experiments: each is two functions, results -> data and data -> figure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from core.plots._data import plot_data
from core.plots._previews import draw_initializer_preview, draw_schedule_preview, draw_signal_preview
from core.plots._render import Format, Look, Theme, picture, render
from core.registry import Registry
from core.results import Results


@dataclass(frozen=True)
class Plot:
    """`data` is plain and JSON-able (NaN as None), with `title` and `caption`; `draw` uses nothing else."""

    data: Callable[[Results], dict[str, Any]]
    draw: Callable[[dict[str, Any]], Figure]


plots = Registry("plot", __name__)

__all__ = [
    "Format",
    "Look",
    "Plot",
    "Theme",
    "draw_initializer_preview",
    "draw_schedule_preview",
    "draw_signal_preview",
    "picture",
    "plot_data",
    "plots",
    "render",
]
