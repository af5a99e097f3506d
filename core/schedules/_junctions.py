"""Junctions: where one part of a schedule ends and the next begins, and what is lost there of a warm-up."""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from core.errors import Problem
from core.registry import Entry, join_path
from core.schedules._curves import Curve, Reactive, rates
from core.schedules._lengths import in_units

CLOSE = 1e-9
APART = 0.1
"""The part of a rate by which it may move at a junction beyond the steps of the warm-up before it."""
POINTS = 200
"""The updates of a part whose rates are looked at."""


class Junction(NamedTuple):
    """A part's updates, [first, end), with another part after them."""

    path: str
    """The path of what the part warms up to, or of the part."""
    first: int
    end: int


def unused_warm_ups(entry: Entry, bound: Curve | Reactive, steps: int, steps_per_epoch: int) -> Iterator[Problem]:
    """Name the warm-ups after which the rate leaps up, or falls at once below what they had come to."""
    for path, first, end in _junctions(entry, 0, steps, steps_per_epoch):
        if not end - first >= 2 or end >= steps:
            continue
        at = sorted({*range(first, end, max(1, math.ceil((end - first) / POINTS))), end - 1})
        *before, after = rates(bound, [*at, end])
        last = before[-1]
        if any(b < a * (1 - CLOSE) for a, b in pairwise(before)) or last <= before[0] * (1 + CLOSE):
            continue
        step = (last - before[0]) / (len({float(f"{rate:.9e}") for rate in before}) - 1)
        if after - last > 2 * step + APART * after:
            message = f"warms up to {last:.4g} by update {end - 1}, where what follows begins at {after:.4g}"
            yield Problem(path, f"{message}: the warm-up never reaches it. Give it a length that ends there")
        elif last - after > APART * last:
            message = f"warms up to {last:.4g}, and what follows begins at {after:.4g}"
            yield Problem(path, f"{message}: the rate that is warmed up to is never trained with")


def _junctions(entry: Any, offset: int, steps: int, steps_per_epoch: int) -> Iterator[Junction]:
    """Yield the junctions of an entry that begins at update `offset` and has `steps` updates, and of those inside."""
    per_unit = steps_per_epoch if entry.unit == "epoch" else 1
    fine = per_unit > 1 and entry.per == "update"

    def updates(length: Any) -> int:
        return round(in_units(length, steps, per_unit, in_updates=fine) * per_unit)

    if entry.name == "linear_warmup":
        end = updates(entry.warmup_steps)
        path = "end_lr" if entry.end_lr is not None else "after" if entry.after.lr is not None else ""
        yield Junction(path, offset, offset + end)
        yield from _inside("after", entry.after, offset + end, steps - end, steps_per_epoch)
    elif entry.name == "sequential":
        ends = [*(updates(one) for one in entry.milestones), steps]
        for i, (part, first, end) in enumerate(zip(entry.parts, [0, *ends], ends, strict=False)):
            if end < steps:
                yield Junction(f"parts[{i}]", offset + first, offset + end)
            yield from _inside(f"parts[{i}]", part, offset + first, end - first, steps_per_epoch)


def _inside(path: str, part: Entry, offset: int, steps: int, steps_per_epoch: int) -> Iterator[Junction]:
    if steps > 0:
        for one in _junctions(part, offset, steps, steps_per_epoch):
            yield one._replace(path=join_path(path, one.path))
