"""The record of one outcome: a number that each run comes to, from how it ended or from one of its curves."""

from collections.abc import Callable
from dataclasses import dataclass

from core.metrics import Measure
from core.results import Results, RunResult, Series

OfRun = Callable[[RunResult, Results], float | None]
OfCurve = Callable[[Series, Results], float | None]


@dataclass(frozen=True, kw_only=True)
class OutcomeEntry(Measure):
    """An outcome other than the last value of a metric, computed from a run alone or from one of its series."""

    rank: int
    """Its place in the report, the lowest first."""
    explanation: str
    """One sentence: the question that it answers, its unit, and what has no value."""
    applies: Callable[[Results], bool] = lambda _results: True
    """Returns whether the runs of an experiment may have it."""
    of_run: OfRun | None = None
    reads: Callable[[Results], str | None] = lambda _results: None
    """Returns the metric whose series `of_curve` is given."""
    of_curve: OfCurve | None = None
    of_score: bool = False
    """True of a difference of two scores, which is a share where the score is one."""
    of_diverged: bool = False
    """True where runs that diverged, or that end at a range test's largest rate, have it too."""
    compared_of_diverged: bool = False
    """True where the value of a run that diverged is compared: it does not depend on how much the run did."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.of_run is None) == (self.of_curve is None):
            raise ValueError(f"outcome {self.name!r}: give of_run or of_curve")
        if self.direction == "none":
            raise ValueError(f"outcome {self.name!r} needs a direction, max or min")
        if not self.explanation.strip().endswith("."):
            raise ValueError(f"outcome {self.name!r} needs an explanation, a sentence")
