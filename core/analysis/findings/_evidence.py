"""The evidence of every run that the rules judge, read from the results."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from core.analysis.findings._rule import Measured
from core.analysis.findings._runs import Curves, Floats, LayerDiagnostics
from core.datasets import DataError
from core.design import ArmTraining, Design
from core.initializers import Layer
from core.metrics import Metric, is_diagnostic
from core.metrics import diagnostics as layer_measures
from core.metrics.skipped_updates import SKIPPED
from core.results import Results, RunResult, Series

SeriesByMetric = Mapping[str, Series]
Layers = Mapping[str, Layer | None]
"""A model's layers in their order; None instead of a shape that is not known."""


class RunEvidence(NamedTuple):
    """The evidence of one run: its layers, where something is known of them, and its curves, once it has ended."""

    arm: str
    layers: LayerDiagnostics | None
    curves: Curves | None


def evidence_by_run(results: Results) -> Iterator[RunEvidence]:
    """Yield the evidence of each run of arms that initlab trains, in the order of the runs, one in memory at a time."""
    design = results.design
    training = {arm.label: arm.training for arm in design.arms if arm.training is not None}
    layers: dict[str, Layers] = {}
    for run, series in zip(results.runs, _series_by_run(results), strict=True):
        arm = training.get(run.arm)
        if arm is None:
            continue
        if run.arm not in layers:
            layers[run.arm] = _layers(arm, series)
        told = None if design.diagnostics else _told(arm, layers[run.arm])
        curves = _curves(run, series, design, arm) if run.status == "succeeded" else None
        yield RunEvidence(run.arm, told or _diagnostics(series, layers[run.arm]), curves)


def measured_of(design: Design) -> Measured:
    """Return what explanations depend on."""
    return Measured(
        regression=_is_regression(design),
        train_score=design.trains_score,
        valid_score=design.score,
        diagnosed=design.diagnostics,
    )


def layers_by_arm(results: Results) -> dict[str, list[str]]:
    """Return the names of each arm's measured layers, from the data to the outputs."""
    found: dict[str, set[str]] = {label: set() for label in results.design.labels}
    for series in results.series("weight_norm"):
        found[series.arm].add(series.metric)
    return {
        arm.label: [
            name
            for name in (_layers(arm.training, found[arm.label]) if arm.training else ())
            if f"weight_norm/{name}" in found[arm.label]
        ]
        for arm in results.design.arms
    }


def _series_by_run(results: Results) -> Iterator[SeriesByMetric]:
    """Yield the series of each run, in the order of the runs."""
    diagnostics = layer_measures() if results.design.diagnostics else ()
    curves = [metric.name for metric in _scores(results.design) if metric is not None]
    names = dict.fromkeys(("train_loss", "lr", SKIPPED, *curves, *diagnostics))
    readers = [_Reader(map(_ends, results.series(name)), several=name in diagnostics) for name in names]
    for run in results.runs:
        yield {one.metric: one for reader in readers for one in reader.of(run.id)}


class _Reader:
    """The series of a metric, `several` of each run or one, read no earlier than they are asked for."""

    def __init__(self, series: Iterable[Series], *, several: bool) -> None:
        self._rest = iter(series)
        self._several = several
        self._next: Series | None = None

    def of(self, run_id: int) -> Iterator[Series]:
        """Yield those of a run; runs are asked for in their order."""
        while True:
            if self._next is None:
                self._next = next(self._rest, None)
            if self._next is None or self._next.run_id != run_id:
                return
            found, self._next = self._next, None
            yield found
            if not self._several:
                return


def _ends(series: Series) -> Series:
    """Return of a layer's series the first two points and the last, all that the rules look at, and others whole."""
    if not is_diagnostic(series.metric):
        return series
    points = sorted({0, 1, len(series.steps) - 1} & set(range(len(series.steps))))
    return series._replace(steps=series.steps[points], values=series.values[points])


def _scores(design: Design) -> tuple[Metric | None, Metric | None, Metric | None]:
    """Return the score on the training split, the validation loss, and the score on the validation split."""
    return design.trains_score, design.find("loss", "valid"), design.score


def _is_regression(design: Design) -> bool:
    return design.score is not None and not design.score.share


def _layers(training: ArmTraining, metrics: Iterable[str]) -> Layers:
    """Return the model's layers; only those that were measured where the data set that shapes them is gone."""
    try:
        return training.layers()
    except DataError:
        named = {metric.partition("/")[2] for metric in metrics if metric.startswith("weight_norm/")}
        return dict.fromkeys(sorted(named, key=lambda name: [_counted(part) for part in re.split(r"(\d+)", name)]))


def _counted(part: str) -> tuple[int, str]:
    return (int(part), "") if part.isdigit() else (-1, part)


def _told(training: ArmTraining, layers: Layers) -> LayerDiagnostics | None:
    """Return what the initializer tells of the start of layers that were not measured: neurons of constants are alike.

    None where some layer is drawn, or unknown.
    """
    known = [layer for layer in layers.values() if layer is not None]
    if not known or len(known) < len(layers):
        return None
    if any(training.initializer.weight(layer).distribution != "constant" for layer in known):
        return None
    *hidden, output = layers
    alike = {("neuron_cosine", name): np.ones(1) for name in layers}
    return LayerDiagnostics(steps=[0], values=alike, hidden=hidden, output=output, lasting=frozenset())


def _diagnostics(series: SeriesByMetric, layers: Layers) -> LayerDiagnostics | None:
    measured = {metric: one for metric, one in series.items() if is_diagnostic(metric)}
    if not measured or not layers:
        return None
    *hidden, output = layers
    values: dict[tuple[str, str], Floats] = {}
    for name, one in measured.items():
        metric, _, layer = name.partition("/")
        values[metric, layer] = one.values
    steps = min((one.steps for one in measured.values()), key=len).tolist()
    lasting = frozenset(name for name in hidden if not getattr(layers[name], "ends_branch", False))
    if SKIPPED in series:  # an update that is skipped for its gradients throws no weight off
        norms = [one[: len(steps)] for (metric, _), one in values.items() if metric == "gradient_norm"]
        done = np.flatnonzero(np.isfinite(norms).all(axis=0))
        values, steps = {key: one[done] for key, one in values.items()}, [steps[i] for i in done]
    if not steps:
        return None
    return LayerDiagnostics(steps=steps, values=values, hidden=hidden, output=output, lasting=lasting)


def _curves(run: RunResult, series: SeriesByMetric, design: Design, training: ArmTraining) -> Curves | None:
    if "train_loss" not in series or "lr" not in series or not len(series["train_loss"].values):
        return None
    train_score, valid_loss, valid_score = (
        series[metric.name].values if metric is not None and metric.name in series else np.empty(0)
        for metric in _scores(design)
    )
    return Curves(
        losses=series["train_loss"].values,
        learning_rates=series["lr"].values,
        usual_lr=training.usual_lr,
        batch_size=training.batch_size,
        epochs=training.epochs,
        diverged=run.outcome == "diverged",
        regression=_is_regression(design),
        train_score=train_score,
        valid_score=valid_score,
        valid_loss=valid_loss,
    )
