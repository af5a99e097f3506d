"""The shapes of a report, as programs rely on them: plain values, None where there is no answer, never NaN."""

from collections.abc import Mapping
from typing import Any, Literal

from typing_extensions import TypedDict

from core.analysis.shapes._datasets import Datasets, DatasetsComparison, DatasetVerdict, RankTest, Treatment
from core.analysis.shapes._factorial import Effect, Factorial, Term
from core.analysis.shapes._kinds import (
    CoordinateEntry,
    CoordinateFit,
    CoordinateLayer,
    CoordinateMove,
    NoiseScale,
    RangeEntry,
    RatedAt,
    ScanEntry,
    ScannedSize,
)
from core.analysis.shapes._numbers import Interval, Number
from core.analysis.shapes._rounding import ArmRounding, Rounding
from core.analysis.shapes._verdict import (
    Beats,
    Bounds,
    Comparison,
    Decided,
    DecidedPair,
    DecidingTest,
    OpenPair,
    RobustDifference,
)
from core.analysis.shapes.variance import Variance
from core.errors import Warned
from core.metrics import Split


class Statistics(TypedDict):
    """An arm's finished runs in one outcome: see `core.analysis.statistics.intervals.Summary`."""

    n: int
    mean: Number
    sd: Number
    median: Number
    iqm: Number
    ci_low: Number
    ci_high: Number
    interval: Literal["t", "bca"] | None


class Rate(TypedDict):
    """A share of runs with its Wilson interval."""

    hits: int
    n: int
    rate: float
    ci_low: float
    ci_high: float


class ArmReport(Statistics):
    """One arm: its statistics in the outcome that is judged, what became of its runs, and all its outcomes."""

    label: str
    simultaneous: Bounds | None
    rank_low: int | None
    rank_high: int | None
    p_best: Number
    runs: int
    diverged: int
    failed: int
    unfinished: int
    stopped_early: int
    pruned: int
    not_finite: int
    lost: int
    unseen_at_most: float
    """The share of runs that may be of a kind, such as a rare failure, which none of the finished ones shows."""
    rates: dict[str, Rate | None]
    outcomes: dict[str, Statistics]


class Detectable(TypedDict):
    """The smallest true difference of arms `a` and `b` that their `n` pairs show with the power."""

    a: str
    b: str
    sd: float
    level: float
    power: float
    n: int
    difference: float


class SeedsWanted(TypedDict):
    """The pairs that would tell arms `a` and `b` apart with the power: planned on the margin, else a range.

    `seeds` show a difference of `margin` (None: more than 10,000, or none at all where `floor`, the standard error that
    no number of seeds takes away, hides it). Without a margin they lie between `fewest` and
    `most`, the pairs that the largest and the least effect take which the `n` measured pairs allow; None: no bound.
    """

    a: str
    b: str
    n: int
    sd: float
    level: float
    power: float
    margin: Number
    floor: float
    seeds: int | None
    fewest: int | None
    most: int | None


class Separation(TypedDict):
    """The two foremost arms: what could have been seen of them, and the seeds that would decide."""

    detectable: Detectable | None
    seeds_wanted: SeedsWanted | None


class Verdict(Separation):
    """The verdict in a sentence and in full, the pairs that are decided and open, the order of the arms, their groups,
    and who beats whom."""

    headline: str | None
    decided: list[DecidedPair]
    open: list[OpenPair]
    order: list[str]
    groups: list[list[str]]
    beats: list[Beats]
    text: str | None


class PrunedArm(TypedDict):
    """An arm that was given up, and its comparison with the best arm there."""

    arm: str
    best: str
    n: int
    difference: float
    ci_low: float
    ci_high: float
    p: float
    p_adjusted: float
    epoch: int
    metric: str
    looks: int
    level: float


class Saved(TypedDict):
    """Updates that did not have to be made, of all."""

    updates: int
    of: int
    runs_stopped_early: int
    runs_pruned: int
    pruned: list[PrunedArm]


class ArmEnergy(TypedDict):
    """The energy of an arm's runs."""

    label: str
    n: int
    kwh: float
    co2e_g: float
    mean_kwh: Number
    ci_low: Number
    ci_high: Number
    kwh_per_point: Number


class Energy(TypedDict):
    """The energy of an experiment's runs, and each arm's."""

    source: Literal["measured", "estimated"]
    kwh: float
    co2e_g: float
    runs: int
    arms: list[ArmEnergy]


class FindingReport(TypedDict):
    """Something that is wrong with an arm: see `core.analysis.findings`."""

    arm: str
    kind: str
    layer: str | None
    step: int
    evidence: dict[str, Any]
    explanation: str
    explained_by: str | None
    """The kind of another finding that this follows from."""


class JudgedOn(TypedDict):
    """The split that an outcome is measured on, and its examples; None for what is of no split, or not known."""

    split: Split | None
    examples: int | None
    scope: Literal["split", "splits", "examples"] | None


class DataNote(TypedDict):
    """One thing that was taken for something when a data set was read."""

    path: str
    message: str


StudyDecision = Literal["keep", "discard", "inconclusive"]


class StudyReport(TypedDict):
    """The decision of an experiment in its study: None before all runs have ended; `arm` is the one that is kept."""

    name: str
    decision: StudyDecision | None
    arm: str | None


class Report(TypedDict):
    """The report of an experiment: see `core.analysis.build_report`."""

    metric: str
    split: Split | None
    """The split that the outcome is of; None for what is of no split, such as a time."""
    examples: int | None
    """The examples of that split; None where they are not known, or not the same in all arms."""
    scope: Literal["split", "splits", "examples"] | None
    """The reach of the verdict: this one split, splits of this data, or other examples than these."""
    margin: float | None
    alpha: float
    baseline: str | None
    study: StudyReport | None
    """The study that gave it its alpha."""
    reference: str | None
    arms: list[ArmReport]
    comparisons: list[Comparison]
    datasets: Datasets | None
    factorial: Factorial | None
    verdict: Verdict
    looks: list[dict[str, Any]]
    """The looks at adaptive seeds: `core.analysis.outline`."""
    saved: Saved
    energy: Energy | None
    environments: list[dict[str, Any]]
    """Those of the attempts: packages, commit, processor, GPU, threads, settings."""
    rounding: Rounding | None
    variance: Variance | None
    warnings: list[Warned]
    notes: list[DataNote]
    runs: list[dict[str, Any]]
    """`run_id`, `arm`, `seed`, `status`, `outcome`, and every outcome by its name."""
    lr_range: list[RangeEntry] | None
    batch_size: list[ScanEntry] | None
    coordinate_check: list[CoordinateEntry] | None
    findings: list[FindingReport]


Outcomes = Mapping[int, Mapping[str, Number]]
"""Every run's outcomes by its id, as `run_outcomes` gives them."""

__all__ = [
    "ArmEnergy",
    "ArmReport",
    "ArmRounding",
    "Beats",
    "Bounds",
    "Comparison",
    "CoordinateEntry",
    "CoordinateFit",
    "CoordinateLayer",
    "CoordinateMove",
    "DataNote",
    "DatasetVerdict",
    "Datasets",
    "DatasetsComparison",
    "Decided",
    "DecidedPair",
    "DecidingTest",
    "Detectable",
    "Effect",
    "Energy",
    "Factorial",
    "FindingReport",
    "Interval",
    "JudgedOn",
    "NoiseScale",
    "Number",
    "OpenPair",
    "Outcomes",
    "PrunedArm",
    "RangeEntry",
    "RankTest",
    "Rate",
    "RatedAt",
    "Report",
    "RobustDifference",
    "Rounding",
    "Saved",
    "ScanEntry",
    "ScannedSize",
    "SeedsWanted",
    "Separation",
    "Statistics",
    "StudyDecision",
    "StudyReport",
    "Term",
    "Treatment",
    "Variance",
    "Verdict",
]
