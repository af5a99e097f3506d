"""The body of an external experiment: arms, seeds and metrics as somebody declares them, who trains them elsewhere."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from core.analysis.outcomes import outcomes
from core.errors import Problem
from core.metrics import Direction, Per
from core.registry import invalid, is_deeper, unknown
from core.spec import LIMITS, AdaptiveSeeds, Alpha, Margin, Seeds, StudyName, Text, adaptive_unfit, blocks_of, misplaced

KIND = "external"
MOST_METRICS = 500
DEEPEST = 8
"""Levels of an arm's config."""

MetricName = Annotated[str, Field(pattern=r"^\w[\w./:@ %()+-]{0,119}$")]


class ExternalArm(BaseModel):
    """One treatment: its label, and its settings as whoever trains it has them, which are only shown."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    label: Text
    config: dict[str, Any] = {}
    steps_per_epoch: Annotated[int, Field(ge=1, le=LIMITS.steps)] | None = None
    """Updates in an epoch; none: the experiment's, if that says so."""

    @field_validator("config")
    @classmethod
    def _shallow(cls, config: dict[str, Any]) -> dict[str, Any]:
        if is_deeper(config, DEEPEST):
            raise ValueError(f"is nested more than {DEEPEST} levels deep")
        return config


class DeclaredMetric(BaseModel):
    """A metric that whoever trains measures, and which of its values are better."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: MetricName
    direction: Direction = "none"
    """`max` or `min`: the values that are better. `none`: neither, as of a learning rate; it is shown, not compared."""
    per: Per = "epoch"
    """The unit that its points are counted in: updates, or epochs."""
    label: Text | None = None
    unit: Annotated[str, Field(max_length=20)] | None = None
    """Written behind its values; none: they have none."""


class ExternalTarget(BaseModel):
    """The goal that runs are timed to."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    metric: MetricName
    value: float


class ExternalSpec(BaseModel):
    """An experiment that is trained elsewhere: its runs wait for numbers, which `POST /runs/{id}/points` brings.

    What belongs to one seed is paired as declared: nobody here knows which order of examples and which random draws the
    runs of a seed have in common.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    kind: Literal["external"]
    name: Text = "untitled"
    arms: Annotated[list[ExternalArm], Field(min_length=1, max_length=LIMITS.arms)]
    seeds: Seeds = 5
    """A number of seeds, which are 0, 1, ..., or a list of them; or adaptive ones, `{"from": 5, "to": 20}`."""
    metrics: Annotated[list[DeclaredMetric], Field(min_length=1, max_length=MOST_METRICS)]
    outcome: MetricName | None = None
    """The metric that arms are compared by, of which the last value counts; none: the first that has a direction."""
    baseline: Text | None = None
    """Label of the arm that the others are compared with; none: the best."""
    margin: Margin | None = None
    """The largest difference of the outcome that does not matter, in its unit."""
    alpha: Alpha = 0.05
    """The chance of a false win that the verdict allows, over all its comparisons together."""
    target: ExternalTarget | None = None
    """The goal that runs are timed to, of a metric by epoch."""
    data: Text | None = None
    """The data that is learned, in any words. Arms of two experiments are paired where both say the same."""
    steps_per_epoch: Annotated[int, Field(ge=1, le=LIMITS.steps)] | None = None
    """Updates in an epoch; none: not known, and an epoch counts as one."""
    steps: Annotated[int, Field(ge=1, le=2**53)] | None = None
    """Updates that a run is to have, by which its progress is told; none: not known."""
    silent_seconds: Annotated[float, Field(ge=1, le=30 * 86_400)] = 3600.0
    """Seconds after which a run of which nothing was heard counts as lost; what comes later revives it."""
    open: bool = False
    """Arms, seeds and metrics are still to come, as of an experiment of MLflow's: it runs until it is cancelled."""
    study: StudyName | None = None
    tags: Annotated[list[Text], Field(max_length=20)] = []
    notes: Annotated[str, Field(max_length=20_000)] = ""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        problems = list(self._problems())
        if problems:
            raise PydanticCustomError("catalog", "not a valid experiment", {"problems": problems})
        self.seeds = self.adaptive or self.seed_list
        self.outcome = self.outcome or next(metric.name for metric in self.metrics if metric.direction != "none")
        return self

    def _problems(self) -> Iterator[Problem]:
        seeds, labels = self.seed_list, self.labels
        if len(set(seeds)) < len(seeds):
            yield Problem("seeds", "should differ from one another")
        yield from _repeated("arms", "label", labels)
        yield from self._problems_of_metrics()
        if self.baseline is not None and self.baseline not in labels:
            yield Problem("baseline", f"is not the label of an arm: {', '.join(labels)}", tuple(labels))
        if len(labels) * len(seeds) > LIMITS.runs:
            yield Problem("seeds", f"{len(labels)} arms x {len(seeds)} seeds exceed {LIMITS.runs:,} runs")
        yield from misplaced(self.study, None, self.baseline, labels)
        if self.adaptive is not None:
            yield from adaptive_unfit(None, len(labels), all_pairs=not self.baseline, pruned=False)

    def _problems_of_metrics(self) -> Iterator[Problem]:
        names = [metric.name for metric in self.metrics]
        compared = [metric.name for metric in self.metrics if metric.direction != "none"]
        yield from _repeated("metrics", "name", names)
        taken = {*reserved(), *(f"best_{name}" for name in names)}
        for i, name in enumerate(names):
            if name in taken and name in compared:
                yield Problem(f"metrics[{i}].name", f"is an outcome that a report has of itself: call {name} otherwise")
        if not compared:
            yield Problem("metrics", 'none has a direction: give the one that decides "max" or "min"')
        elif self.outcome is not None and self.outcome not in compared:
            yield unknown("metric with a direction", self.outcome, compared, "outcome")
        by_epoch = [metric.name for metric in self.metrics if metric.direction != "none" and metric.per == "epoch"]
        if self.target is not None and self.target.metric not in by_epoch:
            yield unknown("metric by epoch with a direction", self.target.metric, by_epoch, "target.metric")

    @property
    def labels(self) -> list[str]:
        """The arms' labels, in their order."""
        return [arm.label for arm in self.arms]

    @property
    def adaptive(self) -> AdaptiveSeeds | None:
        """The rule by which seeds are added; None: all are trained in any case."""
        return self.seeds if isinstance(self.seeds, AdaptiveSeeds) else None

    @property
    def seed_blocks(self) -> list[list[int]]:
        """The seeds before each look at adaptive ones; else all of them, in one block."""
        return blocks_of(self.seeds)

    @property
    def seed_list(self) -> list[int]:
        """The seeds; of adaptive ones the most that there may be."""
        return [seed for block in self.seed_blocks for seed in block]

    def canonical(self) -> dict[str, Any]:
        """Return the spec with every default written out; parsing it again gives the same spec."""
        return self.model_dump(exclude_none=True)


def reserved() -> frozenset[str]:
    """Return the names that no metric that is compared may have: a report has outcomes of these names of itself."""
    return frozenset({*outcomes, "diverged"})


def parse(raw: Any) -> ExternalSpec:
    """Validate an external experiment; raises `InvalidSpec` with every problem found and the path to its field."""
    try:
        return ExternalSpec.model_validate(raw)
    except ValidationError as error:
        raise invalid(error, ExternalSpec) from None


def _repeated(place: str, field: str, names: Sequence[str]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for i, name in enumerate(names):
        if name in first:
            yield Problem(f"{place}[{i}].{field}", f"is that of {place}[{first[name]}] again: {name}")
        first.setdefault(name, i)
