"""Resizing of a figure: axes and marks grow, while text keeps its size and place."""

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_ROUNDING = 1e-3  # of a pixel: what is meant to be 800 shall not come out as 799


def fit(figure: Figure, width: int | None, height: int | None) -> None:
    """Resize the figure to so many pixels; given one of the two it keeps its proportions.

    With both, the figure grows in one direction until the proportions are right, never shrinks: only its axes grow, so
    that nothing that was apart comes to overlap. Then all of it is scaled, the text too.
    """
    across, down = figure.get_size_inches()
    if width is not None and height is not None:
        wider = max(across, down * width / height)
        _grow(figure, wider, wider * height / width)
        across, down = figure.get_size_inches()
    dpi = width / across if width is not None else (height or 0) / down
    figure.set_dpi(dpi)
    wide, high = width or round(across * dpi), height or round(down * dpi)
    figure.set_size_inches((wide + _ROUNDING) / dpi, (high + _ROUNDING) / dpi)


def _grow(figure: Figure, width: float, height: float) -> None:
    old = figure.get_size_inches()
    boxes = [axes.get_position() for axes in figure.axes]
    move_x = _stretch(old[0], width, [(box.x0, box.x1) for box in boxes])
    move_y = _stretch(old[1], height, [(box.y0, box.y1) for box in boxes])
    for axes, box in zip(figure.axes, boxes, strict=True):
        (x0, x1), (y0, y1) = move_x(np.array([box.x0, box.x1])), move_y(np.array([box.y0, box.y1]))
        axes.set_position((x0, y0, x1 - x0, y1 - y0))
        for text in axes.texts:
            if isinstance(text, Annotation) and text.anncoords == "figure fraction":
                text.set_position(_moved(text.get_position(), move_x, move_y))
    for line in figure.findobj(Line2D):
        if line.get_transform() is figure.transFigure:
            line.set_data(move_x(np.asarray(line.get_xdata())), move_y(np.asarray(line.get_ydata())))
    for text in figure.texts:
        text.set_position(_moved(text.get_position(), move_x, move_y))
    figure.set_size_inches(width, height)


def _moved(at: tuple[float, float], move_x: Callable[[Any], Any], move_y: Callable[[Any], Any]) -> tuple[float, float]:
    return float(move_x(at[0])), float(move_y(at[1]))


def _stretch(old: float, new: float, covered: list[tuple[float, float]]) -> Callable[[Any], Any]:
    """Return a map from parts of the old length to parts of the new: the covered intervals take all of the growth."""
    ends = np.unique([0.0, 1.0, *(end for interval in covered for end in interval)])
    middles = (ends[:-1] + ends[1:]) / 2
    inside = np.array([any(low < middle < high for low, high in covered) for middle in middles])
    weights = np.diff(ends) * (inside if inside.any() else 1.0)
    lengths = np.diff(ends) * old + (new - old) * weights / weights.sum()
    places = np.concatenate([[0.0], np.cumsum(lengths)]) / new
    return lambda at: np.interp(at, ends, places)
