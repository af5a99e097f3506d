"""Designs and results of experiments, whoever trains them: the one place that asks who does."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from core import external
from core.classification import ClassSummary
from core.datasets import DatasetPaths
from core.design import Design, Varied
from core.errors import Conflict, InvalidSpec, Problem
from core.external import ExternalSpec
from core.metrics import Per, Task, unit_of
from core.results import Results, RunResult, Series
from core.spec import Spec
from core.spec import parse_stored as parse_trained
from core.store import Experiment
from core.training import designs

AnySpec: TypeAlias = Spec | ExternalSpec


def parse(raw: Mapping[str, Any]) -> AnySpec:
    """Validate the spec of an experiment of any kind. Raises `InvalidSpec`."""
    return external.parse(raw) if raw.get("kind") == external.KIND else parse_trained(raw)


def is_external(of: Experiment) -> bool:
    """Return whether an experiment is trained elsewhere."""
    return of.spec.get("kind") == external.KIND


def again_of(of: Experiment) -> Sequence[Varied]:
    """Return by what each second training of an experiment's runs differs from the first; none without any."""
    spec = spec_of(of)
    return () if isinstance(spec, ExternalSpec) else spec.again


def unit_in(of: Experiment) -> Callable[[str], Per]:
    """Return what tells the unit in which the points of an experiment's series are counted."""
    if not is_external(of):
        return unit_of
    units: dict[str, Per] = {metric["name"]: metric["per"] for metric in of.spec["metrics"]}
    return lambda name: units.get(name, "step")


def design_of(of: Experiment, paths: DatasetPaths = DatasetPaths(), measured: Collection[str] = ()) -> Design:  # noqa: B008 a value
    """Return what an experiment compares, under its name of now; `measured` as `designs.design_of` takes it."""
    spec = spec_of(of)
    if isinstance(spec, ExternalSpec):
        return external.design_of(spec)
    task = cast(Task, of.task)
    return designs.design_of(spec, task=task, paths=paths, steps_per_epoch=of.steps_per_epoch, measured=measured)


def results_of(
    of: Experiment,
    *,
    runs: Sequence[RunResult],
    series: Callable[[str], Iterable[Series]],
    paths: DatasetPaths = DatasetPaths(),  # noqa: B008 a value
    measured: Collection[str] = (),
    correct: Callable[[], Mapping[int, NDArray[np.bool_]]] = dict,
    classified: Callable[[], Mapping[int, ClassSummary]] = dict,
) -> Results:
    """Return what an experiment came to; the arguments are those of `designs.trained_results`."""
    spec = spec_of(of)
    warnings = [Problem(one["path"], one["message"]) for one in of.warnings or ()]
    if isinstance(spec, ExternalSpec):
        return external.external_results(spec, runs=runs, series=series, looks=of.looks or (), warnings=warnings)
    return designs.trained_results(
        spec,
        task=cast(Task, of.task),
        paths=paths,
        steps_per_epoch=of.steps_per_epoch,
        runs=runs,
        series=series,
        rungs=of.rungs or (),
        looks=of.looks or (),
        measured=measured,
        warnings=warnings,
        correct=correct,
        classified=classified,
    )


def spec_of(of: Experiment) -> AnySpec:
    """Return the spec as it was posted, under the name that the experiment has now: reports and pictures show it.

    Raises `Conflict` where this code cannot read it.
    """
    try:
        return parse({**of.spec, "name": of.name})
    except InvalidSpec as error:
        text = f"experiment {of.id} is of other code than this service's, which cannot read it"
        raise Conflict(f"{text}: {error}; its runs, metrics and history can be read") from error
