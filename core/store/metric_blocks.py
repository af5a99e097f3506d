"""Encodes and decodes blocks of metrics: rows whose values are packed as little-endian floats."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement

from core.store.tables import MetricBlock

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
    return np.frombuffer(block.values, dtype=f"<f{len(block.values) // block.n}").astype(np.float64)


def join(blocks: Iterable[Any]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the steps and values of rows of one series that follow on each other."""
    steps, values = [], []
    for block in blocks:
        steps.append(block.first + block.every * np.arange(block.n))
        values.append(decode(block))
    return np.concatenate(steps), np.concatenate(values)
