"""The installed fonts, and which of them has the letters that the pictures' own font lacks.

Files are looked for anew in every process, not in matplotlib's list of them, which it keeps for ever.
"""

import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from matplotlib.font_manager import findfont, findSystemFonts, fontManager
from matplotlib.ft2font import FT2Font
from numpy.typing import NDArray

from core.plots.drawing.styles import FONT

BOX = "\N{WHITE SQUARE}"
"""Stands in a PNG for a letter that no font has."""
NAMED = 6
"""The most missing letters that a note names."""
_PLAIN = ("Regular", "Book", "Roman", "Normal", "Medium")
_CHINESE, _JAPANESE, _KOREAN = "SC", "JP", "KR"


class Face(NamedTuple):
    """One upright face of a family of fonts: a file, and its place in that file."""

    path: str
    place: int
    family: str

    def open(self) -> FT2Font:
        """Return the face as FreeType reads it."""
        return FT2Font(self.path, face_index=self.place)


def face_of(character: str, text: str = "") -> Face | None:
    """Return the face that draws a character of a text, the pictures' own where it can; None where no font can.

    Chinese, Japanese and Korean share letters, but not their shapes: the text around says whose they are.
    """
    if character == "\n" or ord(character) in _letters(own()):  # a line's end is a letter of some fonts
        return own()
    return _other(character, _region(text))


def families(text: str) -> list[str]:
    """Return the families that draw a text, the pictures' own first, each known to matplotlib."""
    found = dict.fromkeys(face for c in text if (face := face_of(c, text)) is not None)
    others = [face for face in found if face != own()]
    for face in others:
        _register(face.family)
    return [FONT, *(face.family for face in others)]


def missing(text: str) -> list[str]:
    """Return the letters of a text that no font has, each once; marks and joiners that can be left out do not count."""
    return [c for c in dict.fromkeys(text) if not can_go(c) and face_of(c, text) is None]


def boxed(text: str) -> str:
    """Return a text with a square for every letter that no font has."""
    lost = {c for c in text if face_of(c, text) is None}
    return "".join("" if c in lost and can_go(c) else BOX if c in lost else c for c in text)


def missing_note(texts: Iterable[str]) -> str:
    """Return a sentence on the letters of the texts that no font has; empty where there are none."""
    lost = list(dict.fromkeys(c for text in texts if not text.isascii() for c in missing(text)))
    if not lost:
        return ""
    named = ", ".join(f"U+{ord(c):04X}" for c in lost[:NAMED])
    more = f" and {len(lost) - NAMED} more" if len(lost) > NAMED else ""
    return f"No font of this server has the letters {named}{more}: a PNG has squares for them, an SVG the letters."


def texts_in(data: Any) -> list[str]:
    """Return every string in a picture's data but its keys; lists of numbers are not looked through."""
    if isinstance(data, str):
        return [data]
    if isinstance(data, dict):
        return [text for value in data.values() for text in texts_in(value)]
    if isinstance(data, list | tuple) and not (data and isinstance(data[0], int | float)):
        return [text for value in data for text in texts_in(value)]
    return []


@cache
def own() -> Face:
    """Return the pictures' own face."""
    return Face(findfont(FONT), 0, FONT)


@cache
def _letters(face: Face) -> frozenset[int] | NDArray[np.uint32]:
    """Return the code points of a face: a set of the own one's, a sorted array, which is small, of others'."""
    codes = face.open().get_charmap()
    return frozenset(codes) if face == own() else np.sort(np.fromiter(codes, dtype=np.uint32))


@cache
def _other(character: str, region: str) -> Face | None:
    code = ord(character)
    for face in _faces(region):
        codes = np.asarray(_letters(face))
        at = int(np.searchsorted(codes, code))
        if at < len(codes) and codes[at] == code:
            return face
    return None


@cache
def _faces(region: str) -> list[Face]:
    """Return the faces to look in: Noto's sans serif, which has all scripts in one style, before others."""

    def rank(face: Face) -> tuple[bool, bool, bool, str]:
        foreign = " CJK " in face.family and not face.family.endswith(region)
        return foreign, not face.family.startswith("Noto Sans"), not face.family.startswith("Noto"), face.family

    return sorted((face for face, style in _installed() if style in _PLAIN), key=rank)


@cache
def _installed() -> list[tuple[Face, str]]:
    """Return the faces of all installed fonts that can be scaled, each with the name of its style."""
    found = []
    for path in sorted(findSystemFonts()):
        try:
            first = FT2Font(path)
            faces = [first, *(FT2Font(path, face_index=i) for i in range(1, first.num_faces))]
        except (OSError, RuntimeError):  # no font that FreeType can read
            continue
        found += [(Face(path, i, face.family_name), face.style_name) for i, face in enumerate(faces) if face.scalable]
    return found


@cache
def _register(family: str) -> None:
    """Make all faces of a family known to matplotlib."""
    known = {entry.fname for entry in fontManager.ttflist}
    for path in {face.path for face, _ in _installed() if face.family == family} - known:
        fontManager.addfont(path)


def _region(text: str) -> str:
    if any("\u3040" <= c <= "\u30ff" for c in text):
        return _JAPANESE
    return _KOREAN if any("\uac00" <= c <= "\ud7a3" for c in text) else _CHINESE


def can_go(character: str) -> bool:
    """Return whether a character is a mark, a joiner or a variation selector, without which the text still reads."""
    return unicodedata.category(character) in ("Mn", "Cf")
