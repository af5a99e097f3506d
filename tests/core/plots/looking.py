"""What a person who looks at a picture would not forgive."""

from typing import Any

import numpy as np
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text

from core.plots import render


def assert_drawn(figure: Figure) -> None:
    """It becomes a picture; one of few pixels, which is soon there."""
    figure.set_dpi(72)
    assert render(figure, "png").startswith(b"\x89PNG")


def assert_texts_apart(figure: Figure) -> None:
    """No text lies over another, over axes that are not its own, or off the page; of numbers at ticks, over another."""
    figure.draw_without_rendering()  # until then an axis's label is anywhere
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    texts = written(figure)
    boxes = [text.get_window_extent(renderer).padded(-1.5) for text in texts]
    corners = np.array([box.extents for box in boxes]).reshape(-1, 4)
    for i, j in zip(*np.nonzero(np.triu(overlaps(corners, corners), k=1)), strict=True):
        raise AssertionError(f"{texts[i].get_text()!r} lies over {texts[j].get_text()!r}")
    drawn = [axes for axes in figure.axes if axes.axison]
    for axis in (axis for axes in drawn for axis in (axes.xaxis, axes.yaxis)):
        _assert_numbers_apart(axis, renderer)
    for axes in drawn:
        area = np.array([axes.get_window_extent(renderer).extents])
        for i in np.flatnonzero(overlaps(corners, area)):
            assert texts[i] in axes.texts, f"{texts[i].get_text()!r} lies over axes"
    page = figure.bbox.padded(1)
    for text, box in zip(texts, boxes, strict=True):
        inside = page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1
        assert inside, f"{text.get_text()!r} leaves the page"


def _assert_numbers_apart(axis: Axis, renderer: Any) -> None:
    low, high = sorted(axis.get_view_interval())
    shown = [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    texts = [text for text in shown if text.get_visible() and text.get_text()]
    corners = np.array([text.get_window_extent(renderer).extents for text in texts]).reshape(-1, 4)
    for i, j in zip(*np.nonzero(np.triu(overlaps(corners, corners), k=1)), strict=True):
        raise AssertionError(f"the number {texts[i].get_text()!r} lies over {texts[j].get_text()!r}")


def written(figure: Figure) -> list[Text]:
    """All texts but the ticks' numbers."""
    at_ticks = {
        id(label)
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for label in axis.findobj(Text)
        if label is not axis.label
    }
    found = [text for text in figure.findobj(Text) if text.get_text().strip() and id(text) not in at_ticks]
    return [text for text in found if text.get_visible()]


def overlaps(a: Any, b: Any) -> Any:
    """Which of the boxes (n, 4) and (m, 4), given by two corners, have points in common: (n, m)."""
    apart = (a[:, None, 0] >= b[None, :, 2]) | (b[None, :, 0] >= a[:, None, 2])
    return ~(apart | (a[:, None, 1] >= b[None, :, 3]) | (b[None, :, 1] >= a[:, None, 3]))
