"""Figures as bytes."""

import io
import re
import warnings
from collections.abc import Callable, Collection
from typing import Any, Literal, NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from core.errors import InvalidSpec, Problem
from core.plots.drawing.fit import fit
from core.plots.drawing.fonts import boxed, families, missing_note, texts_in
from core.plots.drawing.styles import FONT, styled, themed
from core.plots.drawing.text import left_to_right

Format = Literal["png", "svg"]
Theme = Literal["light", "dark"]
MOST_PIXELS = 16_000_000


class Look(NamedTuple):
    """The appearance of a picture, independent of its content."""

    theme: Theme = "light"
    width: int | None = None
    """Pixels across. One of `width` and `height` alone leaves the other to the picture's own proportions."""
    height: int | None = None
    dpi: float | None = None
    """Dots an inch: the resolution of a picture without `width` and `height`; for others only the PNG's note of its
    size in print. None: the figure's own."""


USUAL = Look()


def picture(
    draw: Callable[[dict[str, Any]], Figure],
    data: dict[str, Any],
    format: Format,  # noqa: A002 the word users know
    look: Look = USUAL,
) -> bytes:
    """Draw the data as a PNG or an SVG. Raises `InvalidSpec` for a size of more than `MOST_PIXELS`."""
    return pictures(draw, data, [format], look)[format]


def pictures(
    draw: Callable[[dict[str, Any]], Figure],
    data: dict[str, Any],
    formats: Collection[Format] = ("png", "svg"),
    look: Look = USUAL,
) -> dict[Format, bytes]:
    """Return what `picture` does for each format, of one drawing: in three quarters of the time of two."""
    with themed(look.theme):
        note = missing_note(texts_in(data)) if "caption" in data else ""
        figure = draw(data | {"caption": f"{data['caption']} {note}"} if note else data)
        if look.width is not None or look.height is not None:
            fit(figure, look.width, look.height)
        elif look.dpi is not None:
            figure.set_dpi(look.dpi)
        wide, high = pixels(figure)
        if wide * high > MOST_PIXELS:
            raise InvalidSpec([_too_large(figure, wide, high, look)])
        # The SVG first: for a PNG, letters that no font has become squares.
        made = {one: render(figure, one, look) for one in sorted(formats, reverse=True)}
        return {one: made[one] for one in formats}


def pixels(figure: Figure) -> tuple[int, int]:
    """Return width and height of the figure as a PNG."""
    width, height = figure.bbox.size
    return int(width), int(height)


@styled
def render(figure: Figure, format: Format, look: Look = USUAL) -> bytes:  # noqa: A002
    """Return the figure as a PNG, at its own dots an inch, or as SVG: the same figure gives the same bytes."""
    buffer = io.BytesIO()
    _choose_fonts(figure, keep=format == "svg")
    if format == "svg":
        wide, high = pixels(figure)
        with warnings.catch_warnings():  # of letters that no font here has: the reader's may have them
            warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
            figure.savefig(buffer, format="svg", metadata={"Date": None})
        return _svg(buffer.getvalue(), None if look.width is None and look.height is None else (wide, high))
    # As savefig would, in two thirds of its time: opaque, and compressed less for files a third larger.
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    dpi = look.dpi or figure.dpi
    image.save(buffer, "png", compress_level=1, dpi=(dpi, dpi))
    return buffer.getvalue()


def _choose_fonts(figure: Figure, keep: bool) -> None:
    """Give every text the fonts that have its letters, and its direction; letters that no font has become squares, or
    are kept as text."""
    for text in figure.findobj(Text):
        words = left_to_right(text.get_text())
        if not words.isascii():
            text.set_fontfamily([*families(words), "sans-serif"])
            text.set_text(words if keep else boxed(words))


def _svg(drawn: bytes, size: tuple[int, int] | None) -> bytes:
    """Set the SVG's size in pixels, and a fallback font of the same widths."""
    text = drawn.decode()
    if size is not None:
        text = re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', f'width="{size[0]}" height="{size[1]}"', text, count=1)
    return text.replace(f"'{FONT}', sans-serif", f"'{FONT}', Verdana, sans-serif").encode()


def _too_large(figure: Figure, wide: int, high: int, look: Look) -> Problem:
    says = f"makes a picture of {wide:,} x {high:,} pixels, and {MOST_PIXELS:,} are the most"
    if look.width is None and look.height is None:
        inches, down = figure.get_size_inches()
        return Problem("dpi", f"{says}: this one can have {int((MOST_PIXELS / (inches * down)) ** 0.5)}")
    return Problem("width" if look.width is not None else "height", f"{says}: ask for less")
