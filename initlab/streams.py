"""Standard output and error in any encoding: what it has no sign for is told by other signs, never by a traceback."""

import io
import os
import sys
import unicodedata
from codecs import lookup, register_error
from typing import TextIO

PLAIN = {
    ord(sign): plain
    for signs, plain in (
        ("–—−─━", "-"),
        ("·", "."),
        ("•", "*"),
        ("×", "x"),
        ("μ", "u"),
        ("│┃┆", "|"),
        ("█▉▊▋▌▍▎▏▇▆▅▄▃▂▁■", "#"),
        ("≤←", "<"),
        ("≥→", ">"),
        ("≈±", "~"),
        ("“”", '"'),
        ("‘’", "'"),
    )
    for sign in signs
}
"""One sign for one sign, so that columns stay below each other."""
BLANK, LAST = "⠀", "⣿"
"""The braille patterns, of which a terminal's curves are made: the first has no dot."""


def _plainer(error: UnicodeError) -> tuple[str, int]:
    """Return what stands for the letters that cannot be encoded, and where to go on: a handler of codec errors."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    part = error.object[error.start : error.end]
    told = "".join(map(_plain, part)).encode(error.encoding, "replace").decode(error.encoding)
    return told, error.end


def _plain(sign: str) -> str:
    if BLANK <= sign <= LAST:
        return " " if sign == BLANK else "."
    return unicodedata.normalize("NFKD", sign)[:1].translate(PLAIN)


register_error("plainer", _plainer)


def never_refuse() -> None:
    """Have standard output and error write plainer signs for those that their encoding has not."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not _is_unicode(stream):
            stream.reconfigure(errors="plainer")


def write_page(page: str) -> None:
    """Write a web page to standard output: one that says it is UTF-8 is so whatever the terminal's encoding."""
    if not _is_unicode(sys.stdout):
        page = page.encode("ascii", "xmlcharrefreplace").decode("ascii")
    sys.stdout.write(page)


def reader_left(stream: TextIO) -> bool:
    """Return whether what reads this output has ended, as `head` does; then nothing more is written to it."""
    try:
        stream.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())  # else the interpreter's end tries again, and complains
        os.close(nowhere)
        return True
    return False


def _is_unicode(stream: TextIO) -> bool:
    return lookup(stream.encoding or "ascii").name.startswith("utf")
