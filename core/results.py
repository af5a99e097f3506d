"""Results: a design, its runs and its series, as plain values wherever they were measured and stored."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from core.classification import ClassSummary
from core.design import SOURCES, Design, Source, Varied
from core.metrics import Per, unit_of

Outcome = Literal["completed", "diverged", "stopped_early", "pruned"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


@dataclass(frozen=True)
class RunResult:
    """One run: an arm's label, a seed, and how it ended."""

    id: int
    arm: str
    seed: int
    status: str
    outcome: Outcome | None
    final: dict[str, float | None]
    """The last value of every metric; None where it is not finite."""
    seconds: float | None = field(default=None, compare=False)
    """From its first update to its end by the clock, waits and the company of other runs included; None: not known."""
    steps_done: int = 0
    steps_total: int = 0
    """Updates that were made, and those that all its epochs have."""
    energy_kwh: float | None = field(default=None, compare=False)
    co2e_g: float | None = field(default=None, compare=False)
    energy_source: Literal["measured", "estimated"] | None = field(default=None, compare=False)
    """The energy that it took from the socket, and its carbon dioxide; None where nobody has measured or estimated."""


class Series(NamedTuple):
    """One metric of one run: `values[i]` was measured at `steps[i]` (an update, or an epoch, from 0)."""

    run_id: int
    arm: str
    seed: int
    metric: str
    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    per: Per | None = None
    """The unit of `steps`; None: the catalogue's for the metric."""

    @property
    def unit(self) -> Per:
        """Return the unit that its points are counted in."""
        return self.per or unit_of(self.metric)


@dataclass(frozen=True, kw_only=True)
class Results:
    """A design, its runs in the order arm, seed, and its series by metric (read when asked for)."""

    design: Design
    runs: Sequence[RunResult]
    series: Callable[[str], Iterable[Series]]
    """Returns the series of a metric, in the order of the runs; for `activation_std`, or another diagnostic, those of
    all layers. They may be read one after another as they are asked for: together they may be gigabytes."""
    rungs: Sequence[Mapping[str, Any]] = ()
    """The decisions to prune or keep arms before their last epoch: `core.analysis.decide_rung`."""
    correct: Callable[[], Mapping[int, NDArray[np.bool_]]] = dict
    """Returns which examples of the judged split a run got right, (n,), by its id; of the runs that have it stored."""
    classified: Callable[[], Mapping[int, ClassSummary]] = dict
    """Returns the summary of a classifier on the judged split by the id of its run; of the runs that have it stored."""
    looks: Sequence[Mapping[str, Any]] = ()
    """The looks at adaptive seeds that were taken: `core.analysis.take_look`."""
    environments: Sequence[Mapping[str, Any]] = field(default=(), compare=False)
    """The environments that runs were trained in, each once, the earliest first; empty where nobody recorded them."""
    repeated: "Results | None" = None
    """The second trainings of the runs, which tell what rounding does and count nowhere else; None: there are none."""
    varied: Mapping[Source, "Results"] = field(default_factory=dict)
    """Second trainings that each differ by one source alone, by it: they tell what it does, and count nowhere else."""
    whole: "Results | None" = None
    """All arms' results, where these are only of some: a comparison is one among all, whichever are looked at."""

    @property
    def trained(self) -> list[RunResult]:
        """All runs that were trained, the second trainings behind the first."""
        second = [*([self.repeated] if self.repeated else []), *self.varied.values()]
        return [*self.runs, *(run for one in second for run in one.runs)]

    def with_second(
        self, trainings: Mapping[Varied, tuple[Sequence[RunResult], Callable[[str], Iterable[Series]]]]
    ) -> "Results":
        """Return these results with those of second trainings of the same design, by what sets them apart."""
        found = {again: replace(self, runs=runs, series=series) for again, (runs, series) in trainings.items()}
        apart: dict[Source, Results] = {source: found[source] for source in SOURCES if source in found}
        return replace(self, repeated=found.get("rounding"), varied=apart)

    def unit(self, metric: str) -> Per:
        """Return the unit that the points of a series are counted in."""
        known = self.design.metrics.get(metric)
        return unit_of(metric) if known is None else known.per

    def steps_in_epoch(self, arm: str) -> int:
        """Return the updates in an epoch of an arm, 1 where that is not known."""
        return self.design.arm(arm).steps_per_epoch or 1

    def last_update(self, arm: str, epochs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the update that each epoch of an arm ends with, both from 0."""
        return (epochs + 1) * self.steps_in_epoch(arm) - 1

    def of_arms(self, labels: Collection[str]) -> "Results":
        """Return the results of the arms of these labels, of which there should be one at least."""
        return replace(
            self,
            design=self.design.of_arms(labels),
            runs=[run for run in self.runs if run.arm in labels],
            series=lambda metric: (one for one in self.series(metric) if one.arm in labels),
            repeated=self.repeated and self.repeated.of_arms(labels),
            varied={source: one.of_arms(labels) for source, one in self.varied.items()},
            whole=self.whole or self,
        )
