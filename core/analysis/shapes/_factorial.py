"""Shapes of the effects of a grid's fields."""

from typing_extensions import TypedDict

from core.analysis.shapes._numbers import Interval, Number


class Factor(TypedDict):
    """A field of a grid and its levels, in words."""

    name: str
    levels: list[str]


class Effect(TypedDict):
    """A main effect or an interaction, with its 95 % interval and p."""

    factors: list[str]
    levels: list[str]
    estimate: float
    ci_low: float
    ci_high: float
    p: Number
    p_adjusted: Number


class Term(TypedDict):
    """The share of the variation between cells that a field, or an interaction, has: as measured, and less chance's."""

    factors: list[str]
    share: Number
    share_corrected: Number


class Cell(Interval):
    """An arm by its levels."""

    levels: list[str]
    n: int


class Factorial(TypedDict):
    """Main effects and interactions of a grid: see `core.analysis.statistics.factorial`."""

    factors: list[Factor]
    effects: list[Effect]
    terms: list[Term]
    cells: list[Cell]
    n: int
    complete: int
