"""Rates given piece by piece."""

from bisect import bisect_right
from typing import Annotated

from pydantic import Field

from core.registry import NonNegative
from core.schedules import Curve, Schedule, Span, schedules
from core.schedules._lengths import Milestones


@schedules.register(
    formula="values[number of boundaries <= t]",
    source="paddle.optimizer.lr.PiecewiseDecay",
    aliases=["piecewise_constant", "piecewise_decay", "piecewise_constant_decay"],
)
def piecewise(
    *, boundaries: Milestones, values: Annotated[list[NonNegative], Field(min_length=1, max_length=1001)]
) -> Schedule:
    """The rate `values[i]` until t = `boundaries[i]`, and the next one from there on: one value more than boundaries.

    The values are rates, not factors of B. Keras keeps the old value at t = b: what it calls b - 1 is b here.
    """
    if len(values) != len(boundaries) + 1:
        raise ValueError(f"{len(boundaries)} boundaries need {len(boundaries) + 1} values, got {len(values)}")

    def bind(_base: float, span: Span) -> Curve:
        at = [span.units(one) for one in boundaries]
        return lambda t: values[bisect_right(at, t)]

    return bind
