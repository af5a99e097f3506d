"""Text that fits, as measured in the font in which it is drawn."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from matplotlib.ft2font import LoadFlags

from core.plots.drawing.fonts import BOX, Face, face_of, own

_PARTS = re.compile(r"[^_=,;:./|·+-]*[_=,;:./|·+-]+|[^_=,;:./|·+-]+$")
_HINTING = 1.03
"""Fitting letters to pixels makes small text a little wider than its outlines."""


def clean(text: str) -> str:
    """Return `text` on one line, with a square for every control character."""
    return "".join(BOX if _is_control(c) else c for c in " ".join(text.split()))


def width(text: str, size: float) -> float:
    """Return the width in inches of one line of text of `size` points.

    It is the sum of the characters' advances: kerning, which makes most lines a few thousandths narrower, is not worth
    laying out every line that is tried.
    """
    if text.isascii():
        return sum(_advance(c, own()) for c in text) * _HINTING * size / 72
    faces = [(c, face_of(c, text)) for c in text]
    return sum(_advance(c if face else BOX, face or own()) for c, face in faces) * _HINTING * size / 72


@cache
def _advance(character: str, face: Face) -> float:
    """Return how far a character moves the pen in a face, in ems."""
    font = face.open()
    return float(font.load_char(ord(character), LoadFlags.NO_SCALE).horiAdvance) / font.units_per_EM


def wrap(text: str, size: float, inches: float, most: int = 20) -> list[str]:
    """Return at most `most` lines no wider than `inches`; what does not fit is cut out of the last line's middle."""
    lines = [""]
    pieces = list(_pieces(clean(text), size, inches))
    for i, (glue, piece) in enumerate(pieces):
        longer = f"{lines[-1]}{glue}{piece}" if lines[-1] else piece
        if width(longer, size) <= inches:
            lines[-1] = longer
        elif len(lines) < most:
            lines.append(piece)
        else:
            lines[-1] = elide(lines[-1] + "".join(glue + piece for glue, piece in pieces[i:]), size, inches)
            break
    return lines


def elide(text: str, size: float, inches: float) -> str:
    """Return `text`, cleaned, without as much of its middle as makes it fit: labels differ at their ends."""
    text = clean(text)
    if width(text, size) <= inches:
        return text
    keep = len(text) - 1
    while keep > 1:
        head = (keep + 1) // 2
        short = f"{text[:head].rstrip()}…{text[len(text) - (keep - head) :].lstrip()}"
        if width(short, size) <= inches:
            return short
        keep -= 1
    return "…"


def _is_control(character: str) -> bool:
    """Return whether a character is none that XML may have, or one that controls a terminal."""
    return unicodedata.category(character) in ("Cc", "Cs") or ord(character) & 0xFFFE == 0xFFFE


def _pieces(text: str, size: float, inches: float) -> Iterator[tuple[str, str]]:
    """Yield words, and what is between them and what was before: a space, or nothing within a word.

    Words wider than the line are parted behind their marks, as in "initializer=he_normal", and if that is not enough
    wherever they have to be.
    """
    for word in text.split(" "):
        glue = " "
        for part in [word] if width(word, size) <= inches else _PARTS.findall(word):
            piece = ""
            for c in part if width(part, size) > inches else [part]:
                if piece and width(piece + c, size) > inches:
                    yield glue, piece
                    glue, piece = "", ""
                piece += c
            yield glue, piece
            glue = ""
