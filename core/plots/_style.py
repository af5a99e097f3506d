"""How every picture looks, and the lock under which it is drawn: matplotlib's settings are one for the process."""

import functools
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from matplotlib import rc_context, rcdefaults, rcParams

P = ParamSpec("P")
R = TypeVar("R")

DPI = 144
PREVIEW_DPI = 100
"""Of a preview, which is asked for while a person types."""
FONT = "DejaVu Sans"  # comes with matplotlib: the same picture everywhere
INK, GREY, FAINT = "#222222", "#6b6b6b", "#d9d9d9"

# Okabe & Ito 2008, without the yellow that vanishes on white: told apart with every common colour blindness.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#4D4D4D")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1.1)), (0, (6, 1.5, 1, 1.5)))
MOST_ARMS = 24
"""Arms in one picture: more lines than this cannot be told apart."""

_SETTINGS: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": [FONT],
    "font.size": 9,
    "text.color": INK,
    "text.hinting": "no_hinting",  # letters as they were designed, at any size, and drawn sooner
    "text.parse_math": False,  # a label's dollar signs are dollar signs
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.7,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # there are no ticks above: matplotlib need not look for them
    "axes.unicode_minus": True,
    "grid.color": "#e8e8e8",
    "grid.linewidth": 0.7,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "lines.solid_capstyle": "round",
    "path.simplify": True,
    "svg.fonttype": "path",
    "svg.hashsalt": "initlab",
}
_lock = threading.RLock()


def styled(function: Callable[P, R]) -> Callable[P, R]:
    """Run with the house's settings, one thread at a time, and leave matplotlib's as they were."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with _lock, rc_context():
            rcdefaults()
            rcParams.update(_SETTINGS)
            return function(*args, **kwargs)

    return run


def line_style(arm: int) -> dict[str, Any]:
    """Colour and dashes of an arm: 28 of them differ, the first seven in colour alone."""
    return {"color": COLOURS[arm % len(COLOURS)], "linestyle": DASHES[arm // len(COLOURS) % len(DASHES)]}
