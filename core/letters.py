"""Characters that a name may have: those of every script, and none that hide, break or turn around what is beside."""

import unicodedata

_JOINERS = frozenset("\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}")
"""Persian, Hindi and emoji are written with these."""


def unfit_name(text: str) -> str | None:
    """Return why a text cannot be a name, None where it can: it is blank, or has a letter that no name has."""
    if not any(c.isprintable() and not c.isspace() for c in text):
        return "should not be blank"
    return unfit_letter(text)


def unfit_letter(text: str) -> str | None:
    """Return what of a text no name may have, None where all of it may stand in one.

    Refused are control characters, line breaks, what sets the direction of writing, lone surrogates, and code points
    without a character.
    """
    for c in text:
        if not is_fit(c):
            return f"should have no {_KINDS[unicodedata.category(c)]}; it has U+{ord(c):04X}"
    return None


def is_fit(character: str) -> bool:
    """Return whether a character may stand in a name."""
    space = unicodedata.category(character) == "Zs"
    return character.isprintable() or character in _JOINERS or space or _is_mark(character)


def _is_mark(character: str) -> bool:
    """Return whether a format character is drawn itself: Arabic signs before numbers, and the tags of flags."""
    return unicodedata.category(character) == "Cf" and (
        unicodedata.bidirectional(character) == "AN" or 0xE0020 <= ord(character) <= 0xE007F
    )


_KINDS = {
    "Cc": "control characters",
    "Cf": "invisible characters that set how others are written",
    "Cs": "lone surrogates",
    "Co": "characters for private use",
    "Cn": "code points without a character",
    "Zl": "line breaks",
    "Zp": "line breaks",
}
