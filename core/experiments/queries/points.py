"""Selects the points that a viewer lacks, and joins the blocks that follow on each other into one event's data."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Row, and_, or_, true

from core.experiments.queries.cursor import CohortCursor
from core.finite import finite_list
from core.metrics import metric_names, unit_of
from core.store import MetricBlock, metric_blocks


def between(here: CohortCursor, there: CohortCursor | None = None, *, diagnostics: bool = False) -> ColumnElement[bool]:
    """Return the condition of points that a viewer at `here` lacks; of those before `there` only, if it is given.

    Without `diagnostics`, which are stored with the losses of their updates, an index finds them.
    """
    steps = MetricBlock.metric.in_(metric_names("step"))
    of_steps = or_(steps, metric_blocks.IS_DIAGNOSTIC) if diagnostics else steps
    of_epochs = MetricBlock.metric.in_(metric_names("epoch"))
    first = MetricBlock.first
    return or_(
        and_(of_steps, first >= here.step, true() if there is None else first < there.step),
        and_(of_epochs, first >= here.epochs, true() if there is None else first < there.epochs),
    )


def joined(rows: Iterable[Any], longest: int) -> Iterator[list[Row[Any]]]:
    """Yield blocks that follow on each other, together at most so many points, but for a longer block."""
    found: list[Row[Any]] = []
    for row in rows:
        if found:
            last = found[-1]
            follows = (last.id, last.metric, last.attempt, last.first + last.n * last.every)
            full = (row.first - found[0].first) // row.every + row.n > longest
            if full or (row.id, row.metric, row.attempt, row.first) != follows:
                yield found
                found = []
        found.append(row)
    if found:
        yield found


def event_data(blocks: Sequence[Row[Any]]) -> dict[str, Any]:
    """Return the points of such blocks as a `metric` event has them; None where a value is not finite."""
    first = blocks[0]
    values = np.concatenate([metric_blocks.decode(block) for block in blocks])
    about = {"run_id": first.id, "arm": first.arm, "seed": first.seed, "metric": first.metric}
    unit = unit_of(first.metric)
    place = {"unit": unit, "attempt": first.attempt, "first": first.first, "every": first.every}
    return about | place | {"values": finite_list(values)}
