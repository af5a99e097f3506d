"""The shapes of what a report decides."""

from typing import Literal

from typing_extensions import TypedDict

from core.analysis.shapes._numbers import Number

Decided = Literal["better", "worse", "equivalent", "open"]
"""A decision about arm `a` against arm `b`: of what only describes runs, "better" is the lower, or higher, one."""

DecidingTest = Literal["t", "ranks", "signs", "constants"]
"""The test that decides a pair: see `core.analysis.statistics.decisions.decide`."""


class Bounds(TypedDict):
    """An interval."""

    ci_low: Number
    ci_high: Number


class RobustDifference(TypedDict):
    """The Hodges-Lehmann estimate of a difference, with signed-rank limits."""

    estimate: float
    ci_low: float
    ci_high: float


class Comparison(TypedDict):
    """Arm `a` with arm `b`: `difference` a - b over the seeds that both finished."""

    a: str
    b: str
    n: int
    difference: Number
    ci_low: Number
    ci_high: Number
    individual: Bounds
    p: Number
    effect_size: Number
    test: DecidingTest | None
    p_adjusted: Number
    p_ranks: Number
    p_equivalence: Number
    p_sign_flip: Number
    robust: RobustDifference | None
    lost: list[int]
    finished: list[int]
    p_lost: Number
    p_lost_adjusted: Number
    decision: Decided
    better: str | None


class Beats(TypedDict):
    """A decided comparison, seen from the winner."""

    winner: str
    loser: str
    n: int
    difference: Number
    ci_low: Number
    ci_high: Number
    p_adjusted: Number
    p_lost_adjusted: Number


class DecidedPair(TypedDict):
    """A pair that is decided: `a` is better than `b`, or equivalent to it."""

    a: str
    b: str
    decision: Literal["better", "equivalent"]


class OpenPair(TypedDict):
    """A pair that is not decided."""

    a: str
    b: str
