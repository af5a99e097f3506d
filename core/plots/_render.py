"""Figures as bytes."""

import io
from typing import Any, Literal

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from core.plots._style import styled

Format = Literal["png", "svg"]


@styled
def render(figure: Figure, format: Format) -> bytes:  # noqa: A002 the word users know
    """The picture as a PNG, of as many dots an inch as the figure has, or as SVG: the same figure, the same bytes."""
    buffer = io.BytesIO()
    if format == "svg":
        figure.savefig(buffer, format="svg", metadata={"Date": None})
        return buffer.getvalue()
    # As savefig would, in two thirds of its time: opaque, and compressed less for files a third larger.
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    pixels.save(buffer, "png", compress_level=1, dpi=(figure.dpi, figure.dpi))
    return buffer.getvalue()
