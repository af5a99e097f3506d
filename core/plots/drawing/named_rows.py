"""Rows from the top down, each with a name at its left."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from core.plots.drawing.text import width, wrap

LABEL = 9.0
"""Font size of the names, in points."""
_WIDEST, _GAP, _APART = 3.0, 0.1, 0.08
"""Inches: of a line of a name, between it and the axes, and between the names of two rows."""


class NamedRows:
    """The sizes of rows that their names have room in, all in inches: `middles` are from the top, `margin` is left."""

    def __init__(self, names: Sequence[str], *, least: float) -> None:
        """A row has at least the height `least`, and more where its name needs it."""
        self._texts = [wrap(name, LABEL, _WIDEST) for name in names]
        heights = np.array([max(least, len(text) * LABEL * 1.3 / 72 + _APART) for text in self._texts])
        self.middles = np.cumsum(heights) - heights / 2
        self.total = max(0.8, float(heights.sum()))
        self.margin = max(width(line, LABEL) for text in self._texts for line in text) + _GAP + 0.05

    def write(self, axes: Axes) -> None:
        """Write the names left of axes that are `total` high, and have its y count inches from the top."""
        axes.set_ylim(self.total, 0)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        for text, at in zip(self._texts, self.middles, strict=True):
            for i, line in enumerate(text):
                up = ((len(text) - 1) / 2 - i) * LABEL * 1.3
                axes.annotate(
                    line,
                    (0, at),
                    xycoords=axes.get_yaxis_transform(),
                    xytext=(-_GAP * 72, up),
                    textcoords="offset points",
                    ha="right",
                    va="center",
                    annotation_clip=False,
                    size=LABEL,
                )
