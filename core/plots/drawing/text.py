"""Text that fits, as measured in the font in which it is drawn."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache

from matplotlib.ft2font import LoadFlags

from core.plots.drawing.fonts import BOX, Face, can_go, face_of, own

_PARTS = re.compile(r"[^_=,;:./|·+-]*[_=,;:./|·+-]+|[^_=,;:./|·+-]+$")
_BETWEEN_WORDS = re.compile(" (?!%)")  # a number keeps its percent sign
_BETWEEN_NAMES = re.compile("( = | · |; )")  # as `core.plots.drawing.names` joins them
_MARK = "\N{LEFT-TO-RIGHT MARK}"
_TURNED = ("R", "AL", "AN")
"""Kinds of characters that are written from right to left, and of digits that go with them."""
_HINTING = 1.03
"""Fitting letters to pixels makes small text a little wider than its outlines."""


def clean(text: str) -> str:
    """Return `text` on one line, with a square for every control character."""
    return "".join(BOX if _is_control(c) else c for c in " ".join(text.split()))


def left_to_right(text: str) -> str:
    """Return a text with the marks by which its lines run from left to right, whatever scripts are in them.

    Hebrew and Arabic words keep their own direction; a number behind them, which would be drawn before them, stays
    behind them, and of two names the second behind the first.
    """
    lines = text.replace(_MARK, "").split("\n")
    return "\n".join("".join(map(_left_to_right, _BETWEEN_NAMES.split(line))) for line in lines)


def _left_to_right(line: str) -> str:
    kinds = [unicodedata.bidirectional(c) for c in line]
    if not any(kind in _TURNED for kind in kinds):
        return line
    marked, last = [_MARK], None
    for c, kind in zip(line, kinds, strict=True):
        if kind == "L" and last is not None:
            marked.insert(last, _MARK)
            last = None
        marked.append(c)
        if kind in _TURNED:
            last = len(marked)
    if last is not None:
        marked.insert(last, _MARK)
    return "".join(marked)


def width(text: str, size: float) -> float:
    """Return the width in inches of one line of text of `size` points.

    It is the sum of the characters' advances: kerning, which makes most lines a few thousandths narrower, is not worth
    laying out every line that is tried.
    """
    if text.isascii():
        return sum(_advance(c, own()) for c in text) * _HINTING * size / 72
    faces = [(c, face_of(c, text)) for c in text]
    shown = [(c, face) for c, face in faces if face is not None or not can_go(c)]
    return sum(_advance(c if face else BOX, face or own()) for c, face in shown) * _HINTING * size / 72


@cache
def _advance(character: str, face: Face) -> float:
    """Return how far a character moves the pen in a face, in ems."""
    font = face.open()
    return float(font.load_char(ord(character), LoadFlags.NO_SCALE).horiAdvance) / font.units_per_EM


def wrap(text: str, size: float, inches: float) -> list[str]:
    """Return the text as lines no wider than `inches`, parted between words where that can be: nothing is cut."""
    lines = [""]
    for glue, piece in _pieces(clean(text), size, inches):
        longer = f"{lines[-1]}{glue}{piece}" if lines[-1] else piece
        if width(longer, size) <= inches:
            lines[-1] = longer
        else:
            lines.append(piece)
    return lines


def fitted(names: Sequence[str], size: float, inches: float) -> tuple[list[str], str]:
    """Return the names as lines no wider than `inches`, and a sentence for the caption with those that were cut.

    A long name loses its middle. Where that makes two of them the same they are numbered: "(2) linear…".
    """
    short = [elided(name, size, inches) for name in names]
    found = Counter(short)
    numbers = iter(range(1, len(names) + 1))
    keys = [f"({next(numbers)}) " if found[one] > 1 else "" for one in short]
    short = [
        elided(f"{key}{name}", size, inches) if key else one for key, name, one in zip(keys, names, short, strict=True)
    ]
    whole = [
        f"{key}{clean(name)}" for key, name, one in zip(keys, names, short, strict=True) if key or one != clean(name)
    ]
    return short, f"In full: {'; '.join(whole)}." if whole else ""


def elided(text: str, size: float, inches: float) -> str:
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
    for word in _BETWEEN_WORDS.split(text):
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
