"""Encodes and decodes blocks of metrics: rows whose values are packed as little-endian floats."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement

from core.store.series_tables import MetricBlock

MOST_MERGED = 16_384
"""Points of a block that was merged from others: at most 128 KiB, as readers hold some at a time."""
IS_DIAGNOSTIC: ColumnElement[bool] = MetricBlock.metric.contains("/")
"""The condition of blocks that are one layer's."""


def encode(run_id: int, metric: str, first: int, values: NDArray[Any], every: int = 1) -> dict[str, Any]:
    """Return the row of points `first`, `first + 1`, ... of a series that was measured every `every` updates.

    `values` (n,) keep their width, 4 or 8 bytes each. The row lacks its attempt.
    """
    packed = values.astype(values.dtype.newbyteorder("<")).tobytes()
    place = {"run_id": run_id, "metric": metric, "first": first * every, "n": len(values), "every": every}
    return place | {"values": packed}


def decode(block: Any) -> NDArray[np.float64]:
    """Return the values (n,) of a row of metric_blocks."""
    return _packed(block).astype(np.float64)


def join(blocks: Iterable[Any]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the steps and values of rows of one series that follow on each other."""
    found = list(blocks)
    first, last = found[0], found[-1]
    n, every = sum(block.n for block in found), first.every
    if first.first + n * every == last.first + last.n * every and all(block.every == every for block in found):
        steps = np.arange(first.first, first.first + n * every, every)  # as all are but where some were lost
    else:
        steps = np.concatenate([np.arange(b.first, b.first + b.n * b.every, b.every) for b in found])
    return steps, np.concatenate([_packed(block) for block in found], dtype=np.float64)


def follows(before: Any, block: Any) -> bool:
    """Return whether a block begins where another of the same series and the same attempt ends."""
    place = (before.run_id, before.metric, before.attempt, before.first + before.n * before.every)
    return bool(place == (block.run_id, block.metric, block.attempt, block.first))


def mergeable(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield rows of metric_blocks in groups that may each become one block; `width` is the bytes of a value.

    They come in the order of their keys. Blocks of two attempts stay apart: viewers tell them from each other.
    """
    group: list[Any] = []
    points = 0
    for row in rows:
        alike = group and follows(group[-1], row) and (group[-1].every, group[-1].width) == (row.every, row.width)
        if group and not (alike and points + row.n <= MOST_MERGED):
            yield group
            group, points = [], 0
        group.append(row)
        points += row.n
    if group:
        yield group


def _packed(block: Any) -> NDArray[np.floating]:
    return np.frombuffer(block.values, dtype=f"<f{len(block.values) // block.n}")
