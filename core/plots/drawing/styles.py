"""The style of all pictures, and the lock under which they are drawn: matplotlib's settings are process-wide."""

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

from matplotlib import rc_context, rcdefaults, rcParams
from matplotlib.figure import Figure

from core.plots.drawing.themes import COLOURS, FAINT, GREY, INK, LIGHT, PAPER, RULE, THEMES, Theme, repaint

__all__ = ["COLOURS", "FAINT", "GREY", "INK", "PAPER", "RULE"]  # what is drawn with; the rest is imported from here too

P = ParamSpec("P")
R = TypeVar("R")

DPI = 144
PREVIEW_DPI = 100
"""Dots an inch of a preview, which is requested while a user types."""
FONT = "DejaVu Sans"  # comes with matplotlib: the same picture everywhere

DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1.1)), (0, (6, 1.5, 1, 1.5)))
MOST_ARMS = 24
"""Most arms in one picture: more lines cannot be told apart."""

_SETTINGS: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": [FONT],
    "font.size": 9,
    "text.hinting": "no_hinting",  # letters as they were designed, at any size, and drawn sooner
    "text.parse_math": False,  # a label's dollar signs are dollar signs
    "axes.linewidth": 0.7,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # there are no ticks above: matplotlib need not look for them
    "axes.unicode_minus": True,
    "grid.linewidth": 0.7,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "lines.solid_capstyle": "round",
    "path.simplify": True,
    "svg.fonttype": "none",  # text stays text: it can be searched, copied and read aloud
    "svg.hashsalt": "initlab",
}
_lock = threading.RLock()
_theme: ContextVar[Theme] = ContextVar("theme", default=LIGHT)


@contextmanager
def themed(name: str) -> Iterator[None]:
    """Draw with the theme of this name inside the context."""
    token = _theme.set(THEMES[name])
    try:
        yield
    finally:
        _theme.reset(token)


def styled(function: Callable[P, R]) -> Callable[P, R]:
    """Run with the pictures' settings, one thread at a time, and restore matplotlib's afterwards.

    What is drawn is drawn in the light theme's colours; a figure that the function returns is repainted in those of the
    theme in force (see `themed`).
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        theme = _theme.get()
        with _lock, rc_context():
            rcdefaults()
            rcParams.update(_SETTINGS | theme.settings)
            result = function(*args, **kwargs)
            if isinstance(result, Figure) and theme is not LIGHT:
                repaint(result, theme)
            return result

    return run


def line_style(arm: int) -> dict[str, Any]:
    """Return colour and dashes of an arm: 28 of them differ, the first seven in colour alone."""
    return {"color": COLOURS[arm % len(COLOURS)], "linestyle": DASHES[arm // len(COLOURS) % len(DASHES)]}
