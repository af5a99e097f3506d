"""Refuse the names of before: `python -m tests.checks.retired_words`, a part of `make check`.

The list is the table `[tool.initlab.retired]` of pyproject.toml, each old name with the one to use. A lower-case word
is retired in any identifier that has it as a part (`ring_bell`, `Bells`), every other name only as it is written there.
Looked at are identifiers and file names of Python, and names between backticks in Markdown.
"""

import re
import sys
import tokenize
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FOLDERS = ("api", "bench", "core", "docs", "examples", "initlab", "migrations", "tests", "worker")
CODE_SPAN = re.compile(r"`([^`\n]+)`")
PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


class Use(NamedTuple):
    """A retired name where it is used."""

    place: str
    """File, and line where it is in a line."""
    name: str
    """The identifier or file name that has it."""
    instead: str


def retired(root: Path = ROOT) -> dict[str, str]:
    """Return what is to be written instead of each retired name."""
    table: dict[str, str] = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["initlab"]["retired"]
    return table


def uses(root: Path, names: Mapping[str, str]) -> Iterator[Use]:
    """Yield every use of a retired name below the root, in the order of files and lines."""
    for path in _files(root):
        for line, name in _names(path):
            found = [names[key] for key in (name, *_parts(name)) if key in names]
            if found:
                place = path.relative_to(root).as_posix() + (f":{line}" if line else "")
                yield Use(place, name, found[0])


def _files(root: Path) -> list[Path]:
    inside = [path for folder in FOLDERS for path in (root / folder).rglob("*") if path.suffix in (".py", ".md")]
    return sorted([*inside, *root.glob("*.md")])


def _names(path: Path) -> Iterable[tuple[int, str]]:
    """Names with their lines, the file's own at line 0."""
    yield from ((0, name) for name in path.stem.split("."))
    if path.suffix == ".md":
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            yield from ((number, name) for span in CODE_SPAN.findall(line) for name in re.findall(r"\w+", span))
        return
    with tokenize.open(path) as file:
        tokens = list(tokenize.generate_tokens(file.readline))
    yield from ((token.start[0], token.string) for token in tokens if token.type == tokenize.NAME)


def _parts(name: str) -> Iterator[str]:
    """The words of a name in snake or camel case, in lower case, with and without a plural's s."""
    for part in PART.findall(name):
        yield part.lower()
        yield part.lower().removesuffix("s")


def main() -> int:
    """Print every use of a retired name; return 1 where there is any."""
    found = list(uses(ROOT, retired()))
    for use in found:
        print(f"{use.place}: `{use.name}` is retired: write {use.instead}")  # noqa: T201 its output
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
