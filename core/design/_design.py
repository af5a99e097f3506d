"""The design of an experiment."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.design._arm import DesignArm
from core.design._blocks import DatasetGrid, dataset_grid
from core.design._kinds import BatchSizeScan, CoordinateCheck, LrRangeTest
from core.design._sources import Source
from core.errors import Problem
from core.metrics import Metric, Split

FEWEST_PAIRS = 3
"""The fewest seeds on which an arm may be pruned."""


class Target(NamedTuple):
    """The goal that runs are timed to: a metric by epoch, and the value that it is to come to."""

    metric: str
    value: float


@dataclass(frozen=True, kw_only=True)
class Design:
    """Arms that are compared on the same seeds, and what is measured of their runs.

    `metrics` are in the order in which they are judged: the first that is compared is the outcome, where none is asked
    for. Each says which of its values are better.
    """

    name: str
    arms: Sequence[DesignArm]
    seeds: Sequence[int]
    """Each pairs one run of every arm."""
    metrics: Mapping[str, Metric]
    split: Split = "valid"
    """The split that runs are judged on: `test` where there is one."""
    splits_vary: bool = False
    """True where every seed has a split of its own, the same for all arms."""
    vary: Sequence[Source] = ()
    """The sources of randomness that differ between seeds, where they were named; every other is the first seed's."""
    baseline: str | None = None
    """The label of the arm that the others are compared with; None: the best."""
    margin: float | None = None
    """The largest difference of the outcome that does not matter, in its unit; None: none was named."""
    alpha: float = 0.05
    """The chance of a false win among the arms that the verdict allows, over all looks."""
    study: str | None = None
    """The chain of experiments that gave it its alpha."""
    looks: Sequence[int] = ()
    """The seeds after which its arms are compared, and further ones trained of those alone that are in an open
    comparison; none: all seeds are trained in any case."""
    target: Target | None = None
    grid: Mapping[str, Sequence[Any]] | None = None
    """The levels of each field of a factorial design, whose product its arms are."""
    lr_range: LrRangeTest | None = None
    batch_size_scan: BatchSizeScan | None = None
    coordinate_check: CoordinateCheck | None = None
    diagnostics: bool = False
    """True where the layers were measured."""
    warnings: Sequence[Problem] = ()
    """Parts of its request that are probably not meant, each with the path of its field."""
    described: Sequence[tuple[str, str | None]] = ()
    """Settings that all arms share, title and words; None instead of words: they differ by arm."""
    paired: str = "share data order and dropout draws"
    """The words for what runs of one seed have in common."""
    independent: bool = False
    """True where runs of one seed have nothing in common: they are not paired."""

    @property
    def ranks(self) -> bool:
        """True where runs are trained to be compared: not those of a range test or a coordinate check."""
        return self.lr_range is None and self.coordinate_check is None

    @property
    def trained_here(self) -> bool:
        """True where it is known how arms are trained: not those of an external experiment."""
        return any(arm.training is not None for arm in self.arms)

    @property
    def knows_epochs(self) -> bool:
        """True where it is known of every arm how many updates an epoch has."""
        return all(arm.steps_per_epoch is not None for arm in self.arms)

    @cached_property
    def labels(self) -> list[str]:
        """The arms' labels, in their order."""
        return [arm.label for arm in self.arms]

    @cached_property
    def _places(self) -> tuple[dict[str, int], dict[int, int]]:
        return {label: i for i, label in enumerate(self.labels)}, {seed: i for i, seed in enumerate(self.seeds)}

    def arm(self, label: str) -> DesignArm:
        """Return the arm of that label. Raises KeyError."""
        return self.arms[self._places[0][label]]

    @cached_property
    def dataset_grid(self) -> DatasetGrid | None:
        """The layout of its arms over data sets, each of which is a block; None where they lie over none."""
        if not self.ranks or self.batch_size_scan is not None or not self.grid:
            return None
        return dataset_grid(self.grid, self.arms, self.baseline)

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The comparisons, by the indexes of their arms: the baseline with every other, else every arm with each.

        Over several data sets they are those of each set.
        """
        over = self.dataset_grid
        if over is not None:
            return [pair for arms in over.arms.T.tolist() for pair in _pairs(arms, over.baseline)]
        baseline = None if self.baseline is None else self.labels.index(self.baseline)
        return _pairs([*range(len(self.arms))], baseline)

    def matrix(self, values: Iterable[tuple[str, int, float | None]]) -> NDArray[np.float64]:
        """Return values by arm and seed, (arms, seeds), from (label, seed, value); NaN where there is none."""
        arms, seeds = self._places
        found = np.full((len(arms), len(seeds)), np.nan)
        for label, seed, value in values:
            found[arms[label], seeds[seed]] = np.nan if value is None else value
        return found

    @property
    def outcomes(self) -> tuple[Metric, ...]:
        """The metrics whose last values arms are compared by, the first of all where none is asked for."""
        return tuple(metric for metric in self.metrics.values() if metric.compared)

    @property
    def primary(self) -> Metric:
        """The metric that arms are compared by where none is asked for."""
        return self.outcomes[0]

    @property
    def curve(self) -> Metric:
        """The metric whose series leads to the primary one's value: on validation, where the test split has a point."""
        before = self.find(self.primary.quantity, "valid") if self.primary.split == "test" else None
        return before or self.primary

    @property
    def score(self) -> Metric | None:
        """The metric by epoch that shows the progress of a run: one to be maximised, on the validation split."""
        curves = [metric for metric in self.outcomes if metric.per == "epoch"]
        best = [metric for metric in curves if metric.direction == "max" and metric.split == "valid"]
        return next(iter([*best, *curves]), None)

    @property
    def trains_score(self) -> Metric | None:
        """The score on the training split, where that is measured."""
        return None if self.score is None else self.find(self.score.quantity, "train")

    def find(self, quantity: str, split: Split | None) -> Metric | None:
        """Return the metric of a quantity on a split, such as ("loss", "valid"); None where it is not measured."""
        return next((m for m in self.metrics.values() if (m.quantity, m.split) == (quantity, split)), None)

    def of_arms(self, labels: Collection[str]) -> "Design":
        """Return the design as if it had only these arms, in its order; a baseline that is not among them is none."""
        arms = [arm for arm in self.arms if arm.label in labels]
        return replace(self, arms=arms, baseline=self.baseline if self.baseline in labels else None)


def _pairs(arms: Sequence[int], baseline: int | None) -> list[tuple[int, int]]:
    """Return the comparisons of arms; `baseline` is a place among them."""
    if baseline is None:
        return [(i, j) for k, i in enumerate(arms) for j in arms[k + 1 :]]
    return [(arms[baseline], j) for k, j in enumerate(arms) if k != baseline]
