"""Characters that a name may have: those of every script, and none that hide, break or turn around what is beside."""

import unicodedata

_JOINERS = frozenset("\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}")
"""Persian, Hindi and emoji are written with these."""


def unfit_name(text: str) -> str | None:
    """Return why a text cannot be a name, None where it can.

    Refused are control characters, line breaks, what sets the direction of writing, lone surrogates, and code points
    without a character.
    """
    if not any(c.isprintable() and not c.isspace() for c in text):
        return "should not be blank"
    for c in text:
        if not (c.isprintable() or c in _JOINERS or unicodedata.category(c) == "Zs" or _is_mark(c)):
            return f"should have no {_KINDS[unicodedata.category(c)]}; it has U+{ord(c):04X}"
    return None


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
