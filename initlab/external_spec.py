"""Experiments whose runs are trained elsewhere: declared in one call, logged by `Experiment.run`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NotRequired, TypedDict, Unpack

from initlab.errors import SpecError
from initlab.experiment import Experiment
from initlab.external_parts import Arms, Metrics, said_arms, said_metrics


class AdaptiveSeeds(TypedDict):
    """Seeds that are added at looks, while comparisons are open."""

    to: int
    looks: NotRequired[Sequence[int]]


Seeds = int | Sequence[int] | Mapping[str, Any]
"""Their number from 0 on, a list, or `{"from": 5, "to": 20, "looks": [5, 10, 20]}`."""


class ExternalOptions(TypedDict, total=False):
    """Further fields of an external experiment, as the API has them."""

    outcome: str
    """The metric that is judged, by its last value; the first that has a direction without."""
    margin: float
    """The largest difference that does not matter, in the outcome's unit."""
    alpha: float
    baseline: str
    target: Mapping[str, Any]
    """The goal that runs are timed to, as `{"metric": "valid_accuracy", "value": 0.9}`."""
    data: str
    """The data that is learned, in any words; arms of two experiments are paired where both say the same."""
    steps_per_epoch: int
    steps: int
    """Updates that a run is to have, by which its progress is told."""
    silent_seconds: float
    """After so long without a sign a run counts as lost."""
    name: str
    tags: Sequence[str]
    notes: str
    study: str


def external_spec(arms: Arms, seeds: Seeds, metrics: Metrics, options: ExternalOptions) -> dict[str, Any]:
    """Return the spec; raises `SpecError` where there is no arm, or nothing to judge."""
    of_arms, measured = said_arms(arms), said_metrics(metrics)
    judged = [one["name"] for one in measured if one.get("direction", "none") != "none"]
    if not of_arms or not judged:
        raise SpecError('name an arm, and a metric with its direction, as metrics={"valid_accuracy": "max"}')
    said_seeds = seeds if isinstance(seeds, int) else dict(seeds) if isinstance(seeds, Mapping) else list(seeds)
    spec = {"kind": "external", "arms": of_arms, "seeds": said_seeds, "metrics": measured}
    return spec | {"outcome": judged[0], **options}


class ExternalExperiments:
    """The call that declares an experiment whose runs are trained elsewhere."""

    def submit(self, spec: Mapping[str, Any] | str | Path, key: str | None = None) -> Experiment:
        """Post an experiment."""
        raise NotImplementedError

    def external(
        self,
        arms: Arms,
        seeds: Seeds,
        metrics: Metrics,
        *,
        key: str | None = None,
        **options: Unpack[ExternalOptions],
    ) -> Experiment:
        """Declare an experiment of any training loop: `external(["he", "xavier"], 5, {"valid_accuracy": "max"})`.

        Its runs wait for numbers: `with experiment.run("he", seed=3) as run: run.log(step, valid_accuracy=...)`. Pairs
        are as good as what the loop does with the seed. Programs that say the same `key` within a day, such as the jobs
        of an array, share one experiment. Raises `ApiError` 422 with every problem of the spec.
        """
        return self.submit(external_spec(arms, seeds, metrics, options), key)
