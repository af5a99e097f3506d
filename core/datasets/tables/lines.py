"""The lines of a text file: its encoding is that of its mark, that which an option names, or UTF-8."""

import codecs
from collections.abc import Iterator
from io import TextIOWrapper
from typing import BinaryIO

from core.datasets._content import InvalidUpload, Remarks
from core.datasets._magic import START, kind_of

MOST_LINE = 2**22
"""Most characters of a line."""
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_OF_FILES = ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined")
_ADVICE = "save the file as UTF-8, or name its encoding, such as cp1252"


def encoding_of(file: BinaryIO, asked: str | None, remarks: Remarks) -> str:
    """Return the encoding of a file, which is left at its start; raises `InvalidUpload` for one that is unknown."""
    start = file.read(START)
    file.seek(0)
    what = kind_of(start)
    if what is not None:
        raise InvalidUpload(f"the file is no text: by its first bytes it is {what}")
    marked = next((name for mark, name in MARKS if start.startswith(mark)), None)
    if asked is not None:
        try:
            found = codecs.lookup(asked)
        except LookupError:
            raise InvalidUpload(f"is no encoding that is known: {asked!r}", "encoding") from None
        if not found._is_text_encoding or found.name.replace("-", "_") in _NOT_OF_FILES:
            raise InvalidUpload(f"{asked!r} is no encoding of texts", "encoding")
        return "utf-8-sig" if found.name == "utf-8" else found.name
    if marked is not None:
        if marked != "utf-8-sig":
            remarks.note("encoding", f"read as {marked.upper()}, by the file's mark")
        return marked
    guess = _wide(start)
    if guess is not None:
        remarks.note("encoding", f"read as {guess.upper()} by its zero bytes: the file has no mark")
        return guess
    return "utf-8"


def lines_of(file: BinaryIO, encoding: str) -> Iterator[str]:
    """Yield the lines with their ends; bytes that are not UTF-8 come as surrogates. Raises `InvalidUpload`."""
    text = TextIOWrapper(file, encoding, errors="surrogateescape", newline="")
    number = 0
    try:
        while line := text.readline(MOST_LINE):
            number += 1
            if len(line) >= MOST_LINE:
                raise InvalidUpload(f"line {number} is longer than {MOST_LINE:,} characters: is this a text file?")
            if "\0" in line:
                raise InvalidUpload(f"line {number} has zero bytes: {_ADVICE} (UTF-16 perhaps)", "encoding")
            yield line
    except UnicodeError as error:
        raise InvalidUpload(
            f"line {number + 1} or one soon after it is not {encoding}: {error}: name another encoding"[:300],
            "encoding",
        ) from None
    finally:
        if not file.closed:  # as it is where a caller asked for no more lines
            text.detach()


def not_encoded(what: str, asked: str | None) -> InvalidUpload:
    """Return the refusal of bytes that are not of the encoding that was asked for, which is UTF-8 where none was."""
    if asked is None:
        return InvalidUpload(f"{what} is not UTF-8: {_ADVICE}", "encoding")
    return InvalidUpload(
        f"{what} is not {asked}: name its encoding, such as cp1252, or leave it out for UTF-8", "encoding"
    )


def _wide(start: bytes) -> str | None:
    """Return UTF-16 with its byte order where every other byte of the start is zero."""
    even, odd = start[0::2], start[1::2]
    if len(odd) < 2:
        return None
    if odd.count(0) > 0.7 * len(odd) and not even.count(0):
        return "utf-16-le"
    return "utf-16-be" if even.count(0) > 0.7 * len(even) and not odd.count(0) else None
