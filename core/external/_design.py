"""The design of an external experiment, and the results of its runs."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.design import Design, DesignArm, Target
from core.errors import Problem
from core.external._spec import DeclaredMetric, ExternalArm, ExternalSpec
from core.metrics import DECLARED_ROUNDING, Metric, declared
from core.metrics import metrics as catalogue
from core.results import Results, RunResult, Series

PAIRED = "are paired as declared: what else they have in common is known to whoever trained them"


def design_of(spec: ExternalSpec, *, runs: Sequence[RunResult] = (), warnings: Sequence[Problem] = ()) -> Design:
    """Return what an external experiment compares; of metrics that we know the bounds, where `runs` keep to them."""
    metrics = [_metric(one, runs, judged=one.name == spec.outcome) for one in spec.metrics]
    metrics.sort(key=lambda metric: metric.name != spec.outcome)
    return Design(
        name=spec.name,
        arms=[_arm(arm, spec.steps_per_epoch) for arm in spec.arms],
        seeds=spec.seed_list,
        looks=tuple(spec.adaptive.looks) if spec.adaptive else (),
        metrics={metric.name: metric for metric in metrics},
        split="test" if metrics[0].split == "test" else "valid",
        baseline=spec.baseline,
        margin=spec.margin,
        alpha=spec.alpha,
        study=spec.study,
        target=None if spec.target is None else Target(spec.target.metric, spec.target.value),
        warnings=warnings,
        described=[("data", spec.data)] if spec.data is not None else [],
        paired=PAIRED,
    )


def external_results(
    spec: ExternalSpec,
    *,
    runs: Sequence[RunResult],
    series: Callable[[str], Iterable[Series]],
    looks: Sequence[Mapping[str, Any]] = (),
    warnings: Sequence[Problem] = (),
) -> Results:
    """Return the results of an external experiment's runs; the arguments are those of `Results`.

    Its seeds are those of some run: of adaptive ones fewer than there might have been.
    """
    design = design_of(spec, runs=runs, warnings=warnings)
    if spec.adaptive is not None:
        there = {run.seed for run in runs}
        design = replace(design, seeds=[seed for seed in design.seeds if seed in there])
    return Results(design=design, runs=runs, series=series, looks=looks)


def _metric(one: DeclaredMetric, runs: Sequence[RunResult], *, judged: bool) -> Metric:
    """Return a declared metric: with what we know of its name, where it is measured as ours is."""
    known = next((metric for metric in catalogue.values() if metric.name == one.name), None)
    if known is not None and (known.direction, known.per) == (one.direction, one.per):
        found = replace(known, axis=known.axis if isinstance(known.axis, str) else "")
        found = replace(
            found, accumulator=None, by_layer=False, compared=known.compared or judged, rounding=DECLARED_ROUNDING
        )
        if not all(_within(found, run.final.get(one.name)) for run in runs):
            found = replace(found, share=False, bounds=(None, None), resolution=None)
    else:
        found = declared(one.name, direction=one.direction, per=one.per)
    if one.label is not None:
        found = replace(found, label=one.label)
    if one.unit is not None:
        found = replace(found, unit=f" {one.unit}", share=False)
    return found


def _within(metric: Metric, value: float | None) -> bool:
    low, high = metric.bounds
    return value is None or ((low is None or value >= low) and (high is None or value <= high))


def _arm(arm: ExternalArm, steps_per_epoch: int | None) -> DesignArm:
    return DesignArm(
        label=arm.label,
        settings=dict(_flat(arm.config)),
        steps_per_epoch=arm.steps_per_epoch or steps_per_epoch,
    )


def _flat(config: Mapping[str, Any], path: str = "") -> Iterable[tuple[str, str]]:
    """Yield settings by dotted path, in words."""
    for name, value in config.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value if isinstance(value, str) else json.dumps(value)
