"""Metrics of the weights themselves in place of those of averaged weights, of arms that keep no mean of them.

So arms with `ema_decay` can be compared with arms without: each by the weights that it would be used with.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from core.design import Design
from core.metrics import Metric
from core.results import RunResult, Series
from core.spec import Spec

WHERE_KEPT = " where kept"
"""The words that the label of a metric of averaged weights has more, where an arm keeps no mean."""


def arms_without_mean(spec: Spec) -> frozenset[str]:
    """Return the labels of the arms that keep no mean of their weights; none where no arm keeps one."""
    without = frozenset(arm.label for arm in spec.expanded if arm.treatment.ema_decay is None)
    return without if len(without) < len(spec.expanded) else frozenset()


def relabelled(metrics: Mapping[str, Metric]) -> dict[str, Metric]:
    """Return the metrics of a design some of whose arms keep no mean: the labels say so."""
    return {m.name: replace(m, label=m.label + WHERE_KEPT) if m.averaged else m for m in metrics.values()}


def with_raw(
    spec: Spec, design: Design, runs: Sequence[RunResult], series: Callable[[str], Iterable[Series]]
) -> tuple[Sequence[RunResult], Callable[[str], Iterable[Series]]]:
    """Return runs and series in which arms without a mean have their raw metrics under the averaged ones' names too."""
    without = arms_without_mean(spec)
    raw = _raw_names(design) if without else {}
    if not raw:
        return runs, series
    place = {run.id: i for i, run in enumerate(runs)}

    def also_raw(metric: str) -> Iterable[Series]:
        if metric not in raw:
            return series(metric)
        others = (one._replace(metric=metric) for one in series(raw[metric]) if one.arm in without)
        return heapq.merge(series(metric), others, key=lambda one: place[one.run_id])

    return [_completed(run, raw) if run.arm in without else run for run in runs], also_raw


def _completed(run: RunResult, raw: Mapping[str, str]) -> RunResult:
    own = {averaged: run.final[name] for averaged, name in raw.items() if name in run.final}
    return replace(run, final={**run.final, **own})


def _raw_names(design: Design) -> dict[str, str]:
    """Return the names of the metrics of averaged weights, each with that of the weights themselves."""
    of = {(m.quantity, m.split): m.name for m in design.metrics.values() if not m.averaged}
    return {m.name: of[m.quantity, m.split] for m in design.metrics.values() if m.averaged}
