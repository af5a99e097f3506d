"""A figure with its title above and its caption below, and axes whose numbers have units."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)
from numpy.typing import NDArray

from core.numerals import power
from core.plots.drawing.log_ticks import log_ticks, symlog_ticks
from core.plots.drawing.styles import DPI, GREY, PAPER
from core.plots.drawing.text import elided, wrap

_TITLE, _CAPTION, _NAME = 12.0, 8.0, 9.0
_LINE = 1.45 / 72  # inches of line height for one point of size
_EDGE = 0.18
HEADING = 9.5
"""Font size of the heading of axes, in points."""
MOST_TICKS = 8
"""Numbers at a logarithmic axis, unless there is little room."""
HEADING_LINE = HEADING * 1.25 / 72
"""Inches of one of its lines."""


class Frame(NamedTuple):
    """A figure and the area left for axes in it, in inches from its lower left corner."""

    figure: Figure
    left: float
    bottom: float
    width: float
    height: float

    def axes(self, left: float, bottom: float, width: float, height: float, **kwargs: Any) -> Axes:
        """Add axes whose lower left corner lies at (left, bottom) of the area, everything in inches."""
        total_width, total_height = self.figure.get_size_inches()
        box = (
            (self.left + left) / total_width,
            (self.bottom + bottom) / total_height,
            width / total_width,
            height / total_height,
        )
        axes: Axes = self.figure.add_axes(box, **kwargs)
        return axes


def frame(title: str, caption: str, width: float, height: float) -> Frame:
    """Make a figure whose area for axes is `width` by `height` inches; title and caption are added around it."""
    titles = wrap(title, _TITLE * 1.1, width)  # bold is wider than what is measured
    captions = wrap(caption, _CAPTION, width)
    above = len(titles) * _TITLE * _LINE + 0.06
    below = len(captions) * _CAPTION * _LINE + 0.14
    total_width, total_height = width + 2 * _EDGE, height + above + below + 2 * _EDGE
    figure = Figure(figsize=(total_width, total_height), dpi=DPI, facecolor=PAPER)
    FigureCanvasAgg(figure)
    figure.text(
        _EDGE / total_width,
        1 - _EDGE / total_height,
        "\n".join(titles),
        size=_TITLE,
        weight="bold",
        va="top",
        linespacing=1.2,
    )
    figure.text(
        _EDGE / total_width, _EDGE / total_height, "\n".join(captions), size=_CAPTION, color=GREY, linespacing=1.25
    )
    return Frame(figure, _EDGE, _EDGE + below, width, height)


def set_axis(axes: Axes, which: str, about: dict[str, Any]) -> None:
    """Set label, scale, limits and ticks of the `x` or `y` axis.

    `about`: `label`; `scale` ("linear", "log" or "symlog" with `linear_within`); `limits` or None; `kind` ("number",
    "count" or "share", a share being written in percent); `ticks`, about how many numbers, where there is little
    room, or the numbers themselves.
    """
    axis = axes.xaxis if which == "x" else axes.yaxis
    _name_axis(axes, which, about["label"])
    limits = about.get("limits")
    if limits is not None:
        (axes.set_xlim if which == "x" else axes.set_ylim)(*limits)
    write = _percent if about.get("kind") == "share" else _notation(limits, about["scale"])
    asked = about.get("ticks") or None
    if about["scale"] == "linear":
        count = about.get("kind") == "count"
        axis.set_major_locator(
            FixedLocator(asked) if isinstance(asked, list) else MaxNLocator(asked or 6, integer=count, min_n_ticks=1)
        )
        axis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
        return
    if about["scale"] == "log":
        (axes.set_xscale if which == "x" else axes.set_yscale)("log", nonpositive="clip")
        if limits is not None:
            fixed = (asked, False) if isinstance(asked, list) else None
            ticks, even = fixed or log_ticks(limits[0], limits[1], asked or MOST_TICKS)
            axis.set_major_locator(FixedLocator(ticks))
            write = _notation(limits, "linear") if even and about.get("kind") != "share" else write
    else:
        within = about["linear_within"]
        (axes.set_xscale if which == "x" else axes.set_yscale)("symlog", linthresh=within)
        if limits is not None:
            most = 6 if which == "x" else MOST_TICKS  # numbers are wider than they are high
            axis.set_major_locator(FixedLocator(symlog_ticks(limits[0], limits[1], within, most)))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))


def name_axes(axes: Axes, title: str) -> None:
    """Write the heading of axes, in as much of a line as they are wide: a longer one loses its middle."""
    axes.set_title(elided(title, HEADING, axes.bbox.width / DPI))


def _name_axis(axes: Axes, which: str, label: str) -> None:
    """Write an axis's label in two lines at most, no longer than the axis: a longer one loses its middle."""
    box = axes.bbox
    room = (box.width if which == "x" else box.height) / DPI
    lines = wrap(label, _NAME, room)
    if len(lines) > 2:
        lines = [elided(label, _NAME, room)]
    (axes.set_xlabel if which == "x" else axes.set_ylabel)("\n".join(lines))


def _notation(limits: Sequence[float] | None, scale: str) -> Callable[[float], str]:
    """Return the writer of an axis's numbers: all of them with powers of ten, or none."""
    if limits is None or scale == "symlog":
        return plain_number
    largest = max(map(abs, limits))
    if scale == "log":
        return plain_number if limits[0] >= 1e-3 and largest < 1e6 else _power
    apart = 2 + math.ceil(math.log10(largest / abs(limits[1] - limits[0]))) if largest else 0
    if not largest or 1e-3 <= largest < 1e6:
        return partial(_decimals, digits=max(6, apart))
    digits, exponent = max(4, apart), math.floor(math.log10(largest))
    scaled = f"·{power(exponent)}"
    return lambda value: f"{value / 10.0**exponent:.{digits}g}{scaled}".replace("-", "−") if value else "0"


def _decimals(value: float, digits: int) -> str:
    text = f"{value:,.{digits}g}" if abs(value) >= 1e-4 else f"{value:.7f}".rstrip("0").rstrip(".")
    return text.replace("-", "−") if float(text.replace(",", "")) else "0"


def _power(value: float) -> str:
    mantissa, exponent = f"{value:.2e}".split("e")
    factor = mantissa.rstrip("0").rstrip(".")
    scale = power(int(exponent))
    return scale if factor == "1" else f"{factor}·{scale}"


def padded(low: float, high: float, part: float = 0.04) -> tuple[float, float]:
    """Return limits with a margin; two equal numbers get room around them."""
    margin = (high - low) * part
    if margin <= 1e-9 * max(abs(low), abs(high)):
        margin = 0.05 * abs(low) or 0.5
    return low - margin, high + margin


def padded_log(low: float, high: float, part: float = 0.04) -> tuple[float, float]:
    """Return limits with a margin on a logarithmic axis."""
    bottom, top = padded(math.log10(low), math.log10(high), part)
    return 10**bottom, 10**top


def plain_number(value: float, digits: int = 6) -> str:
    """Return a number as text with at most so many digits, with a power of ten where it is very small or large."""
    if value and not 1e-3 <= abs(value) < 1e6:
        mantissa, exponent = f"{value:.{min(3, digits - 1)}e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".")
        scale = power(int(exponent))
        return {"1": scale, "-1": f"−{scale}"}.get(mantissa, f"{mantissa}·{scale}".replace("-", "−"))
    return f"{float(f'{value:.{digits}g}'):,.15g}".replace("-", "−")


def _percent(value: float) -> str:
    return f"{round(100 * value, 6):g} %".replace("-", "−")


def numbers(values: Sequence[float | None]) -> NDArray[np.float64]:
    """Return JSON's numbers as an array, None as NaN."""
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)
