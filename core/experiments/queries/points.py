"""Selects the points that a viewer lacks, cuts blocks to them, and joins those that follow into one event's data."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import ColumnElement, and_, or_, true, tuple_

from core.experiments.cohorts.states import FINAL
from core.experiments.queries.cursor import CohortCursor, PartialPosition
from core.finite import finite_list
from core.metrics import Per, metric_names, unit_of
from core.store import MetricBlock, Run, metric_blocks

STEP_BYTES = 8
LAST = MetricBlock.first + (MetricBlock.n - 1) * MetricBlock.every
"""The place of a block's last point, or one after it where points are not evenly spaced."""


class Piece(NamedTuple):
    """A block, or a part of one, as a row of metric_blocks with its run."""

    run_id: int
    arm: str
    seed: int
    metric: str
    attempt: int
    first: int
    n: int
    every: int
    values: bytes
    steps: bytes | None = None

    @property
    def last(self) -> int:
        """The step of the last point."""
        return self.first + (self.n - 1) * self.every if self.steps is None else int(metric_blocks.steps_of(self)[-1])

    def cut(self, start: int, stop: int) -> "Piece":
        """Return the points from one index to before another."""
        width = len(self.values) // self.n
        part = self._replace(n=stop - start, values=self.values[start * width : stop * width])
        if self.steps is None:
            return part._replace(first=self.first + start * self.every)
        steps = self.steps[start * STEP_BYTES : stop * STEP_BYTES]
        return part._replace(first=int(metric_blocks.steps_of(self)[start]), steps=steps)

    def within(self, first: int, last: int | None) -> "Piece | None":
        """Return the points at `first` and later, before `last`; None where there are none."""
        if self.steps is not None:
            steps = metric_blocks.steps_of(self)
            places = np.searchsorted(steps, [first, np.iinfo(np.int64).max if last is None else last])
            start, stop = map(int, places)
            return self.cut(start, stop) if start < stop else None
        start = max(0, -((self.first - first) // self.every))
        stop = self.n if last is None else min(self.n, -((self.first - last) // self.every))
        if (start, stop) == (0, self.n):
            return self
        return self.cut(start, stop) if start < stop else None


def beyond(here: CohortCursor, there: CohortCursor | None = None, *, diagnostics: bool = False) -> ColumnElement[bool]:
    """Return the condition of blocks that a viewer at `here` lacks whole; of those before `there` only, if given.

    Without `diagnostics`, which are stored with the losses of their updates, an index finds them.
    """
    first = MetricBlock.first
    return or_(
        and_(_of_steps(diagnostics), first >= here.step, true() if there is None else first < there.step),
        and_(_OF_EPOCHS, first >= here.epochs, true() if there is None else first < there.epochs),
    )


def across(here: CohortCursor, *, diagnostics: bool = False) -> ColumnElement[bool]:
    """Return the condition of blocks of which a viewer at `here` has a part: of runs that ended, as only those merge.

    An index finds them too, as no merged block is long.
    """
    return Run.status.in_(FINAL) & or_(
        *(
            and_(kind, MetricBlock.first < at, at <= LAST, MetricBlock.first > at - metric_blocks.MOST_MERGED * most)
            for kind, at, most in (
                (_of_steps(False), here.step, 1),
                (_OF_EPOCHS, here.epochs, 1),
                *(((metric_blocks.IS_DIAGNOSTIC, here.step, MetricBlock.every),) if diagnostics else ()),
            )
        )
    )


def from_part_on(part: PartialPosition) -> ColumnElement[bool]:
    """Return the condition of blocks with a point that comes at a viewer's place in mid course, or after it."""
    series, mine = tuple_(MetricBlock.run_id, MetricBlock.metric), (part.run, part.metric)
    return or_(series > mine, and_(series == mine, part.first <= LAST))


def cut(
    rows: Iterable[Iterable[Any]],
    here: CohortCursor,
    there: CohortCursor | None,
    longest: int,
    unit_in: Callable[[str], Per] = unit_of,
) -> Iterator[Piece]:
    """Yield what a viewer at `here` lacks of blocks, of that what lies before `there`, in parts of bounded length."""
    for row in rows:
        block = Piece(*row)
        of_epochs = unit_in(block.metric) == "epoch"
        first = here.epochs if of_epochs else here.step
        if here.part is not None and (block.run_id, block.metric) == (here.part.run, here.part.metric):
            first = max(first, here.part.first)
        last = None if there is None else there.epochs if of_epochs else there.step
        piece = block.within(first, last)
        if piece is None:
            continue
        for start in range(0, piece.n, longest):
            yield piece.cut(start, min(piece.n, start + longest)) if piece.n > longest else piece


def joined(pieces: Iterable[Piece], longest: int) -> Iterator[list[Piece]]:
    """Yield blocks that follow on each other, together at most so many points."""
    found: list[Piece] = []
    for piece in pieces:
        if found:
            full = (piece.first - found[0].first) // piece.every + piece.n > longest
            if full or not metric_blocks.follows(found[-1], piece):
                yield found
                found = []
        found.append(piece)
    if found:
        yield found


def event_data(blocks: Sequence[Piece], unit_in: Callable[[str], Per] = unit_of) -> dict[str, Any]:
    """Return the points of such blocks as a `metric` event has them; None where a value is not finite."""
    first = blocks[0]
    values = np.concatenate([metric_blocks.decode(block) for block in blocks])
    about: dict[str, Any] = {"run_id": first.run_id, "arm": first.arm, "seed": first.seed, "metric": first.metric}
    place: dict[str, Any] = {
        "unit": unit_in(first.metric),
        "attempt": first.attempt,
        "first": first.first,
        "every": first.every,
    }
    if first.steps is not None:
        place |= {"steps": np.concatenate([metric_blocks.steps_of(block) for block in blocks]).tolist()}
    return about | place | {"values": finite_list(values)}


_OF_EPOCHS = MetricBlock.metric.in_(metric_names("epoch"))


def _of_steps(diagnostics: bool) -> ColumnElement[bool]:
    steps = MetricBlock.metric.in_(metric_names("step"))
    return or_(steps, metric_blocks.IS_DIAGNOSTIC) if diagnostics else steps
