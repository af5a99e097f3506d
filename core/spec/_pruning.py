"""Pruning: arms end before the last epoch where they are significantly worse than the best."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from core.design import FEWEST_PAIRS
from core.errors import Problem
from core.metrics import EpochMetric, Task, metrics
from core.registry import Count
from core.spec._kinds import Kind


class Pruning(BaseModel):
    """Successive halving (Jamieson & Talwalkar 2016, arXiv:1502.07943) that gives up only what the seeds tell apart.

    After `first` epochs, and after every `factor` times as many, all runs wait for each other. Of the worse half of the
    arms by the mean of `metric` those end there that the best one beats as in the report, Holm over all pairs of arms,
    at `level` over the number of such looks (Bonferroni). Where schedules differ, which may only start slowly, two
    looks in a row must find so. The baseline never ends.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    first: Count | None = None
    """The epochs before the first look; None: a quarter of all, rounded up. Earlier, slow starters look worse."""
    factor: Annotated[Count, Field(ge=2)] = 2
    level: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """Upper bound of the chance that an arm no worse than the best is pruned, over all looks together."""
    metric: EpochMetric | None = None
    """The metric that arms are judged by; None: the report's, validation accuracy, in regression validation loss."""

    def rungs(self, epochs: int) -> list[int]:
        """Return the epoch counts after which arms of `epochs` epochs are compared."""
        found, rung = [], self.first or quarter(epochs)
        while rung < epochs:
            found.append(rung)
            rung *= self.factor
        return found

    def judged(self, task: Task) -> str:
        """Return the metric that arms are compared by."""
        return self.metric or next(name for name, metric in metrics.items() if metric.is_primary(task))


def quarter(epochs: int) -> int:
    """Return a quarter of the epochs, rounded up."""
    return -(-epochs // 4)


def unfit(pruning: Pruning, kind: Kind | None, seeds: int, epochs: Sequence[int]) -> list[Problem]:
    """Return the problems that keep an experiment's arms, of so many epochs each, from being pruned."""
    if kind is not None:
        return [Problem("pruning", f"is for comparisons: leave it out of a {kind}")]
    if seeds < FEWEST_PAIRS:
        return [Problem("pruning", f"judges an arm by {FEWEST_PAIRS} seeds or more, and there are {seeds}")]
    if len(epochs) < 2:
        return [Problem("pruning", "compares arms, and there is one")]
    if len(set(epochs)) > 1:
        return [Problem("pruning", "compares arms after the same epochs: give all of them the same number of epochs")]
    if not pruning.rungs(min(epochs)):
        return [Problem("pruning.first", f"should be below the {min(epochs)} epochs that there are")]
    return []
