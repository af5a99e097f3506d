"""The work that looking at a schedule's rates takes, counted before any is done."""

import math
from collections.abc import Iterator

from core.registry import Entry

SECONDS_OF_RATE = 1.3e-6
"""Seconds of one core (an Intel Xeon of 2.6 GHz) for a rate of a plain formula."""
CHUNK = 512
"""Values of an expression that are computed together."""
OF_CHUNK = 80
"""Rates of a formula that take as long as one such chunk."""


def work_of(entry: Entry, steps: int, samples: int) -> int:
    """Return the number of rates to compute for `samples` of a run's `steps` updates, in rates of a plain formula.

    A schedule inside another is one more. An expression computes the values around each, and a product all before it.
    """
    at, chunks = min(samples, steps), math.ceil(steps / CHUNK)
    return sum(_own(one, at, chunks) for one in _all(entry))


def _own(entry: Entry, at: int, chunks: int) -> int:
    if not hasattr(entry, "fn"):
        return at
    return (chunks if entry.name == "multiplicative" else min(at, chunks)) * OF_CHUNK


def _all(entry: Entry) -> Iterator[Entry]:
    yield entry
    for value in entry.parameters().values():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Entry):
                yield from _all(one)
