"""Refuse docstrings that open with a question word: `python -m tests.checks.docstrings`, a part of `make check`.

A function's says "Return the ...", an attribute's or a class's is a noun phrase: "The share of ...", "True where ...".
Looked at are those of modules, classes and functions, and the texts below attributes, in the program's own folders.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FOLDERS = ("api", "core", "initlab", "worker")
OPENING = re.compile(r"\s*((?:What|How|Whether|Who|Which|Why)\b.*)", re.IGNORECASE)


class Opening(NamedTuple):
    """The opening of a docstring that is refused."""

    place: str
    """File and line."""
    text: str
    """The docstring's first line."""


def openings(root: Path) -> Iterator[Opening]:
    """Yield every docstring below the root that opens with a question word, in the order of files and lines."""
    for path in sorted(path for folder in FOLDERS for path in (root / folder).rglob("*.py")):
        for line, text in _docstrings(path):
            if match := OPENING.match(text):
                yield Opening(f"{path.relative_to(root).as_posix()}:{line}", match[1])


def _docstrings(path: Path) -> list[tuple[int, str]]:
    """Return the texts that stand as statements of their own, with their lines."""
    statements = [node.value for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Expr)]
    return sorted((s.lineno, s.value) for s in statements if isinstance(s, ast.Constant) and isinstance(s.value, str))


def main() -> int:
    """Print every opening that is refused; return 1 where there is any."""
    found = list(openings(ROOT))
    for opening in found:
        print(f"{opening.place}: begin with a verb or a noun, not {opening.text!r}")  # noqa: T201 its output
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
