"""The models of a catalogue's entries: of what a spec names, and of what a training is measured and judged by."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from core.analysis.findings import Curves, Rule, rules
from core.analysis.outcomes import OutcomeEntry, outcomes
from core.catalogue import Catalogue
from core.metrics import Direction, Metric, Per, Split, Task, metrics

Named = Literal["initializer", "schedule", "optimizer", "model", "layer", "dataset", "plot"]


class CatalogEntryOut(BaseModel):
    """An entry that a spec names. `parameters` is a JSON schema; `alias_defaults` are those that only that alias has.

    `plugin` is the one that it is of, null of what is built in. `example` are parameters that show what it does: at
    least those that must be given. `preview` is what `POST /previews/initializer`, `/schedule` or `/signal` shows it
    with beside the entry itself; null for kinds that have none.
    """

    kind: Named
    name: str
    aliases: list[str]
    alias_defaults: dict[str, dict[str, Any]]
    formula: str
    source: str
    summary: str
    plugin: str | None
    parameters: dict[str, Any]
    example: dict[str, Any]
    preview: dict[str, Any] | None


class _RecordOut(BaseModel):
    name: str
    label: str
    summary: str
    plugin: str | None


class _MeasuredOut(_RecordOut):
    direction: Direction
    unit: str


class MetricEntryOut(_MeasuredOut):
    """A series that a training measures. `compared`: arms are compared by its last value, and by its best."""

    kind: Literal["metric"]
    per: Per
    split: Split | None
    tasks: list[Task]
    compared: bool
    by_layer: bool
    """Every layer has a series of its own, `name/layer`, where a spec asks for diagnostics."""


class OutcomeEntryOut(_MeasuredOut):
    """A number of a whole run that arms are compared by, beside the values of metrics."""

    kind: Literal["outcome"]
    describes: bool
    """A value is higher or lower, and by itself neither better nor worse."""


class BoundOut(BaseModel):
    """A number that a finding compares with."""

    value: float
    meaning: str


class FindingEntryOut(_RecordOut):
    """Something that a report finds wrong with an arm's training, and the bounds that its numbers pass."""

    kind: Literal["finding"]
    looks_at: Literal["curves", "layers"]
    """Layers are looked at where a spec asks for diagnostics."""
    bounds: dict[str, BoundOut]
    explains: list[str]
    """The findings that follow from it: they are not said where it is."""


AnyEntryOut = Annotated[
    CatalogEntryOut | MetricEntryOut | OutcomeEntryOut | FindingEntryOut, Field(discriminator="kind")
]


class CatalogOut(BaseModel):
    """All catalogues."""

    initializers: list[CatalogEntryOut]
    schedules: list[CatalogEntryOut]
    optimizers: list[CatalogEntryOut]
    models: list[CatalogEntryOut]
    layers: list[CatalogEntryOut]
    datasets: list[CatalogEntryOut]
    plots: list[CatalogEntryOut]
    metrics: list[MetricEntryOut]
    outcomes: list[OutcomeEntryOut]
    findings: list[FindingEntryOut]


class CatalogEntryList(BaseModel):
    """The entries of one kind, by name, or in the order in which a report has them."""

    items: list[AnyEntryOut]


def _metric(one: Metric, plugin: str | None) -> BaseModel:
    return MetricEntryOut(
        kind="metric",
        name=one.name,
        label=one.label,
        summary=f"{one.label}, {_when(one)}",
        plugin=plugin,
        direction=one.direction,
        unit=one.unit.strip(),
        per=one.per,
        split=one.split,
        tasks=list(one.tasks),
        compared=one.compared,
        by_layer=one.by_layer,
    )


def _when(one: Metric) -> str:
    if one.by_layer:
        return "of every layer, where diagnostics are asked for"
    if one.split == "test":
        return "once, when a run has ended"
    return "in every update" if one.per == "step" else "after every epoch"


def _outcome(one: OutcomeEntry, plugin: str | None) -> BaseModel:
    return OutcomeEntryOut(
        kind="outcome",
        name=one.name,
        label=one.label,
        summary=one.explanation,
        plugin=plugin,
        direction=one.direction,
        unit=one.unit.strip(),
        describes=one.describes,
    )


def _finding(one: Rule[Any], plugin: str | None) -> BaseModel:
    bounds = {name: BoundOut(value=bound.value, meaning=bound.meaning) for name, bound in one.bounds.items()}
    said = "; ".join(f"{bound.meaning} {bound.value:g}" for bound in bounds.values())
    return FindingEntryOut(
        kind="finding",
        name=one.name,
        label=one.label,
        summary=f"{one.label}: {said}",
        plugin=plugin,
        looks_at="curves" if one.looks_at is Curves else "layers",
        bounds=bounds,
        explains=sorted(one.explains),
    )


class Records:
    """A catalogue of records, described as `Registry` describes its entries."""

    def __init__(self, catalogue: Catalogue[Any], describe: Callable[[Any, str | None], BaseModel]) -> None:
        self._catalogue, self._describe = catalogue, describe

    def names(self) -> list[str]:
        """Return the names in the order of the records' ranks."""
        return list(self._catalogue)

    def describe(self, name: str) -> dict[str, Any]:
        """Return the answer of `GET /catalog` for one record; raises `NotFound`."""
        return self._describe(self._catalogue[name], self._catalogue.plugin_of(name)).model_dump()


RECORDS = {
    "metrics": Records(metrics, _metric),
    "outcomes": Records(outcomes, _outcome),
    "findings": Records(rules, _finding),
}
"""Catalogues of what a training is measured and judged by."""
