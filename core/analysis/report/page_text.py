"""Text and tables in Markdown."""

import re
from collections.abc import Sequence


def escape(text: str) -> str:
    """Return `text` so that Markdown, tables and HTML show it literally, on one line."""
    return _literal(" ".join(text.split()))


def prose(text: str) -> str:
    """Return `text` as `escape` does, but what stands in `backticks` as code."""
    parts = " ".join(text.split()).split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return "".join(f"`{part}`" if i % 2 else _literal(part) for i, part in enumerate(parts))


def _literal(text: str) -> str:
    text = re.sub(r"([\\`*\[\]|~#!$])", r"\\\1", text)
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)  # inside a word an underscore is only that
    text = re.sub(r"^([-+=]|\d+(?=[.)]))", r"\\\1", text) if not text[:1].isdigit() else _numbered(text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _numbered(text: str) -> str:
    """Return the line with a leading "1." or "1)" escaped, which would begin a list."""
    return re.sub(r"^(\d+)([.)]\s)", r"\1\\\2", text)


def count(n: int, noun: str) -> str:
    """Return a number with its noun: "1 arm", "2 arms"."""
    return f"{n} {noun}{'' if n == 1 else 's'}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], text: int = 1) -> str:
    """Return a table whose first `text` columns are words, the others numbers."""
    rule = [*["---"] * text, *["---:"] * (len(head) - text)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *rows])
