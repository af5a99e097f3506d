"""The shapes of a report's part on several data sets, each of which is a block."""

from typing_extensions import TypedDict

from core.analysis.shapes._numbers import Number
from core.analysis.shapes._verdict import Bounds, Decided, DecidingTest


class DatasetVerdict(TypedDict):
    """One data set: its arms in the order of the treatments, and what is decided there.

    `scale` is the standard deviation of a paired difference, pooled over its pairs of arms; None: they do not vary.
    """

    dataset: str
    arms: list[str]
    scale: Number
    headline: str


class Treatment(TypedDict):
    """Settings that an arm of every data set has: their places by the decisions over all sets, and their mean rank."""

    label: str
    rank_low: int | None
    rank_high: int | None
    mean_rank: Number


class DatasetsComparison(TypedDict):
    """Treatment `a` with `b` over `n` data sets: the mean `difference` a - b in the outcome's unit, and `scaled`.

    `scaled` is the mean of the sets' differences in their `scale`s; `ci_low` and `ci_high` are its interval together
    with all others, `individual` that for itself.
    """

    a: str
    b: str
    n: int
    difference: Number
    scaled: Number
    ci_low: Number
    ci_high: Number
    individual: Bounds
    test: DecidingTest | None
    p: Number
    p_adjusted: Number
    p_equivalence: Number
    decision: Decided


class RankTest(TypedDict):
    """Friedman's test of the mean ranks, with the F of Iman and Davenport, and the difference that is critical.

    `cliques` are the largest groups of treatments whose mean ranks differ by less, best first.
    """

    chi_square: float
    f: Number
    df: list[int]
    p: float
    critical_difference: float
    cliques: list[list[str]]


class Datasets(TypedDict):
    """Findings over the data sets of a grid: see `core.analysis.report.over_datasets`."""

    field: str
    baseline: str | None
    sets: list[DatasetVerdict]
    treatments: list[Treatment]
    comparisons: list[DatasetsComparison]
    ranks: RankTest | None
