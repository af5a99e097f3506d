"""Figures as bytes."""

import io
from typing import Literal

from matplotlib.figure import Figure

from core.plots._style import DPI, styled

Format = Literal["png", "svg"]


@styled
def render(figure: Figure, format: Format) -> bytes:  # noqa: A002 the word users know
    """The picture as a PNG of 144 dots an inch or as SVG. The same figure always gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=format, dpi=DPI, metadata={"Date": None} if format == "svg" else None)
    return buffer.getvalue()
