"""The shapes of what a report says about sources of randomness."""

from typing_extensions import TypedDict

from core.analysis.shapes._numbers import Number
from core.analysis.shapes._verdict import Bounds
from core.design import Source


class VarianceShare(TypedDict):
    """The part of the variance that one source has: an estimate above 1 is one by chance, its interval is not."""

    estimate: float
    ci_low: float
    ci_high: float


class SourceVariance(TypedDict):
    """The part of an arm's variance that one source makes: the sd of runs that differ by it alone, and its share."""

    source: Source
    n: int
    unlike: int
    sd: Number
    sd_interval: Bounds
    share: VarianceShare | None


class ArmVariance(TypedDict):
    """An arm's spread over its seeds, and what each source makes of it."""

    label: str
    n: int
    sd: Number
    sd_interval: Bounds
    sources: list[SourceVariance]
    interplay: VarianceShare | None


class Variance(TypedDict):
    """The part of the arms' spread that each source of randomness makes: see `core.analysis.report.variance`."""

    varied: list[Source]
    fixed: list[Source]
    arms: list[ArmVariance]
    text: str
