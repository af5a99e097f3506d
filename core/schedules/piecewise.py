"""Rates given piece by piece."""

from bisect import bisect_right
from typing import Annotated, Any

from pydantic import Field

from core.registry import NonNegative
from core.schedules import Curve, Schedule, Span, schedules
from core.schedules._lengths import Milestones
from core.schedules._peers import peers


def _after(boundaries: Any) -> Any:
    """Return Keras' boundaries, the last times of the values before them, as the first of those after."""
    if not isinstance(boundaries, list):
        return boundaries
    return [one + 1 if type(one) is int and one >= 0 else one for one in boundaries]


@schedules.register(
    formula="values[number of boundaries <= t]",
    source="paddle.optimizer.lr.PiecewiseDecay",
    aliases=[
        "piecewise_constant",
        *peers("PiecewiseDecay", "piecewise_decay"),  # Paddle
        *peers("PiecewiseConstantDecay", "piecewise_constant_decay", converts={"boundaries": _after}),  # Keras
    ],
)
def piecewise(
    *, boundaries: Milestones, values: Annotated[list[NonNegative], Field(min_length=1, max_length=1001)]
) -> Schedule:
    """The rate `values[i]` until t = `boundaries[i]`, and the next one from there on: one value more than boundaries.

    The values are rates, not factors of B. Keras keeps the old value at t = b: under its name a boundary b is b + 1.
    """
    if len(values) != len(boundaries) + 1:
        raise ValueError(f"{len(boundaries)} boundaries need {len(boundaries) + 1} values, got {len(values)}")

    def bind(_base: float, span: Span) -> Curve:
        at = [span.units(one) for one in boundaries]
        return lambda t: values[bisect_right(at, t)]

    return bind
