"""The light and the dark theme's colours, and the repainting of a figure from one to the other."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import Collection
from matplotlib.colors import to_hex, to_rgba, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Annotation, Text

PAPER, INK, GREY, FAINT, RULE = "#ffffff", "#222222", "#666666", "#d9d9d9", "#e8e8e8"
"""Background; text; secondary text; faint marks; the grid."""

# Okabe & Ito 2008, https://jfly.uni-koeln.de/color/, without the yellow that vanishes on white and with a grey for its
# black: told apart with every common colour blindness.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4d4d4d")


class Theme(NamedTuple):
    """The colours of a picture, in the places of those above."""

    paper: str
    ink: str
    grey: str
    faint: str
    rule: str
    colours: tuple[str, ...]

    @property
    def settings(self) -> dict[str, Any]:
        """The theme's values for matplotlib's rcParams."""
        return {
            "figure.facecolor": self.paper,
            "axes.facecolor": self.paper,
            "savefig.facecolor": self.paper,
            "text.color": self.ink,
            "axes.labelcolor": self.ink,
            "axes.edgecolor": self.grey,
            "grid.color": self.rule,
            "xtick.color": self.grey,
            "ytick.color": self.grey,
            "xtick.labelcolor": self.ink,
            "ytick.labelcolor": self.ink,
        }


LIGHT = Theme(PAPER, INK, GREY, FAINT, RULE, COLOURS)
# On the dark the same hues, the darkest two lighter: every one has a contrast of 4 or more with the ground.
DARK = Theme(
    "#15181d", "#eceff4", "#aab2bf", "#454c58", "#2b3039",
    ("#3b8fd9", "#e8702a", "#12b886", "#dd92bb", "#f0b429", "#7cc8f5", "#c3c9d2"),
)  # fmt: skip
THEMES = {"light": LIGHT, "dark": DARK}


def repaint(figure: Figure, theme: Theme) -> None:
    """Replace each of the light theme's colours, wherever it stands in the figure, by the one of `theme`.

    A colour that is none of those stays, and so does every transparency.
    """
    dark = dict(zip(_all(LIGHT), _all(theme), strict=True))

    def paint(colour: Any) -> Any:
        r, g, b, alpha = to_rgba(colour)
        new = dark.get(to_hex((r, g, b)))
        return colour if new is None or alpha == 0 else to_rgba(new, alpha)

    for artist in figure.findobj():
        _repaint(artist, paint)


def _all(theme: Theme) -> tuple[str, ...]:
    return (*theme[:-1], *theme.colours)


def _repaint(artist: Artist, paint: Callable[[Any], Any]) -> None:
    if isinstance(artist, Text):
        artist.set_color(paint(artist.get_color()))
        if isinstance(artist, Annotation) and artist.arrow_patch is not None:
            _repaint(artist.arrow_patch, paint)
    elif isinstance(artist, Line2D):
        face, edge = artist.get_markerfacecolor(), artist.get_markeredgecolor()
        artist.set_color(paint(artist.get_color()))
        artist.set_markerfacecolor(paint(face))
        artist.set_markeredgecolor(paint(edge))
    elif isinstance(artist, Patch):
        artist.set_facecolor(paint(artist.get_facecolor()))
        artist.set_edgecolor(paint(artist.get_edgecolor()))
    elif isinstance(artist, Collection) and artist.get_array() is None:
        artist.set_facecolor(_each(artist.get_facecolor(), paint))
        artist.set_edgecolor(_each(artist.get_edgecolor(), paint))


def _each(colours: Any, paint: Callable[[Any], Any]) -> Any:
    found = to_rgba_array(colours)
    return np.array([to_rgba(paint(tuple(one))) for one in found]) if len(found) else found
