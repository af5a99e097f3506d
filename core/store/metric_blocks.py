"""Encodes and decodes blocks of metrics: rows whose values are packed as little-endian floats."""

from collections.abc import Collection, Iterable, Iterator
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


def encode_at(run_id: int, metric: str, steps: NDArray[np.int64], values: NDArray[np.float64]) -> dict[str, Any]:
    """Return the row of points at steps that increase, evenly spaced or not; values take 4 bytes where these hold them.

    The row lacks its attempt.
    """
    narrow = values.astype(np.float32)
    kept = narrow if np.array_equal(narrow, values, equal_nan=True) else values
    gaps = np.diff(steps)
    every = int(gaps[0]) if len(gaps) else 1
    row = encode(run_id, metric, 0, kept, every) | {"first": int(steps[0]), "steps": None}
    if len(gaps) and (gaps != every).any():
        row |= {"every": -int((steps[0] - steps[-1]) // len(gaps)), "steps": steps.astype("<i8").tobytes()}
    return row


def decode(block: Any) -> NDArray[np.float64]:
    """Return the values (n,) of a row of metric_blocks."""
    return _packed(block).astype(np.float64)


def steps_of(block: Any) -> NDArray[np.int64]:
    """Return the steps (n,) of a row of metric_blocks."""
    if block.steps is not None:
        return np.frombuffer(block.steps, dtype="<i8").astype(np.int64)
    return np.arange(block.first, block.first + block.n * block.every, block.every)


def join(blocks: Iterable[Any]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the steps and values of rows of one series that follow on each other."""
    found = list(blocks)
    first, last = found[0], found[-1]
    n, every = sum(block.n for block in found), first.every
    even = all(block.every == every and block.steps is None for block in found)
    if even and first.first + n * every == last.first + last.n * every:
        steps = np.arange(first.first, first.first + n * every, every)  # as all are but where some were lost
    else:
        steps = np.concatenate([steps_of(block) for block in found])
    return steps, np.concatenate([_packed(block) for block in found], dtype=np.float64)


def follows(before: Any, block: Any) -> bool:
    """Return whether a block begins where another of the same series and the same attempt ends, evenly spaced both."""
    if before.steps is not None or block.steps is not None:
        return False
    place = (before.run_id, before.metric, before.attempt, before.first + before.n * before.every)
    return bool(place == (block.run_id, block.metric, block.attempt, block.first))


def mergeable(rows: Iterable[Any], elsewhere: Collection[int] = ()) -> Iterator[list[Any]]:
    """Yield rows of metric_blocks in groups that may each become one block; `width` is the bytes of a value.

    They come in the order of their keys. Blocks of two attempts stay apart, as viewers tell them from each other; but
    for those of runs that are trained `elsewhere`.
    """
    group: list[Any] = []
    points = 0
    for row in rows:
        alike = group and _alike(group[-1], row, row.run_id in elsewhere)
        if group and not (alike and points + row.n <= MOST_MERGED):
            yield group
            group, points = [], 0
        group.append(row)
        points += row.n
    if group:
        yield group


def _alike(before: Any, row: Any, elsewhere: bool) -> bool:
    if elsewhere:
        return bool((before.run_id, before.metric) == (row.run_id, row.metric))
    return follows(before, row) and bool((before.every, before.width) == (row.every, row.width))


def _packed(block: Any) -> NDArray[np.floating]:
    return np.frombuffer(block.values, dtype=f"<f{len(block.values) // block.n}")
