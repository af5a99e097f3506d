"""Shapes of single numbers."""

from typing_extensions import TypedDict

Number = float | None


class Interval(TypedDict):
    """A mean with its 95 % interval."""

    mean: Number
    ci_low: Number
    ci_high: Number
