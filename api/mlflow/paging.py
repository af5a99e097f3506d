"""Orders and pages of what MLflow's clients search."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from core.errors import InvalidSpec, Problem
from core.experiments.requests.mlflow import Order

T = TypeVar("T")
Found = tuple[Mapping[str, Mapping[str, Any]], T]
"""The facts that are asked about, and what they are of."""


def sorted_by(found: Sequence[tuple[Any, T]], keys: Sequence[Order]) -> list[T]:
    """Return what was found in an order, what lacks a key last; without any it stays as it is."""
    there = list(found)
    for key in reversed(keys):
        values = [(facts[key.entity].get(key.key), (facts, one)) for facts, one in there]
        known = [pair for pair in values if not _lacks(pair[0])]
        numbers = all(isinstance(value, int | float) for value, _ in known)
        known.sort(key=lambda pair: pair[0] if numbers else str(pair[0]), reverse=not key.ascending)
        there = [pair for _, pair in [*known, *(pair for pair in values if _lacks(pair[0]))]]
    return [one for _, one in there]


def page_of(found: Sequence[T], token: str, most: int) -> tuple[Sequence[T], dict[str, str]]:
    """Return a page, and the token of the next where there is one. Raises `InvalidSpec` for a token that is none."""
    if token and not (token.isascii() and token.isdigit()):
        raise InvalidSpec([Problem("page_token", "is none of ours")])
    first = int(token or 0)
    end = first + most
    return found[first:end], {"next_page_token": str(end)} if end < len(found) else {}


def _lacks(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
