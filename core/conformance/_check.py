"""Checks by kind of entry, and what came of them."""

import importlib
import pkgutil
import traceback
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

Check = Callable[[str], None]
"""Tries the entry of a name, and raises `Broken` with what is wrong and how it should be."""
Of = Callable[[str], bool]
_checks: dict[str, list[Check]] = {}


class Broken(Exception):
    """An entry does not keep what its catalogue promises."""


class Result(NamedTuple):
    """One check of one entry."""

    kind: str
    entry: str
    check: str
    """The promise that was tried, in words."""
    problem: str | None
    """The way in which it is broken; None: it is not."""


def expect(holds: bool, problem: str) -> None:
    """Raise `Broken` with the problem unless it holds."""
    if not holds:
        raise Broken(problem)


def check(*kinds: str) -> Callable[[Check], Check]:
    """Enter a check of entries of these kinds; its docstring says what it tries."""

    def enter(function: Check) -> Check:
        for kind in kinds:
            _checks.setdefault(kind, []).append(function)
        return function

    return enter


def checks_of(kind: str) -> list[Check]:
    """Return the checks of a kind, those of all kinds first."""
    _discover()
    return _checks.get(kind, [])


def tried(kind: str, name: str) -> Iterator[Result]:
    """Yield the result of every check of an entry; an error that it raises is a problem too."""
    for function in checks_of(kind):
        words = (function.__doc__ or "").strip().rstrip(".")
        try:
            function(name)
        except Broken as broken:
            yield Result(kind, name, words, str(broken))
        except Exception as error:  # noqa: BLE001 the edge to somebody else's code
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(last.filename).name}, line {last.lineno}"
            yield Result(kind, name, words, f"{type(error).__name__}: {str(error)[:500]} ({place})")
        else:
            yield Result(kind, name, words, None)


@cache
def _discover() -> None:
    package = importlib.import_module("core.conformance")
    for module in pkgutil.iter_modules(package.__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"core.conformance.{module.name}")
