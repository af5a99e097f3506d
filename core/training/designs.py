"""Designs whose arms are treatments that initlab trains, and the results of their runs."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.analysis import RungRule
from core.classification import ClassSummary
from core.datasets import Dataset, DatasetInfo, DatasetPaths, Splits, of_seed
from core.design import ArmTraining, BatchSizeScan, CoordinateCheck, Design, DesignArm, LrRangeTest, Target
from core.errors import Problem
from core.initializers import Initializer, Layer, State
from core.metrics import Metric, Split, Task, metrics
from core.registry import Absent, Entry, entries_in
from core.results import Results, RunResult, Series
from core.spec import Arm, Spec, Treatment, described, looks_in_a_row, size
from core.training.initialize import calibration_examples, initial_state


def design_of(
    spec: Spec,
    *,
    task: Task,
    paths: DatasetPaths,
    steps_per_epoch: Sequence[int] = (),
    measured: Collection[str] = (),
    warnings: Sequence[Problem] = (),
) -> Design:
    """Return what a spec compares.

    `steps_per_epoch` are the updates in an epoch of each arm; of the first alone where the others' follow from their
    batch sizes. `measured` names the metrics that some run has a value of: of those that a task may have beside its
    loss and score, only these are judged. `warnings` are those of `core.spec.warnings_of`.
    `paths` are where the data sets lie, which shape first and last layers.
    """
    kind = spec.lr_range
    init_of = cache(lambda seed: spec.sources(seed).init)
    split: Split = "test" if _is_tested(spec.expanded[0].treatment.dataset) else "valid"
    return Design(
        name=spec.name,
        arms=[
            _arm(arm, steps, width, partial(_splits, spec, arm.treatment, paths), init_of, paths)
            for arm, steps, width in zip(spec.expanded, _steps(spec, steps_per_epoch), _widths(spec), strict=True)
        ],
        seeds=spec.seed_list,
        looks=tuple(spec.adaptive.looks) if spec.adaptive else (),
        metrics=_metrics(task, measured, split),
        split=split,
        splits_vary=spec.split == "per_seed",
        vary=spec.vary or (),
        baseline=spec.baseline,
        margin=spec.margin,
        alpha=spec.alpha,
        study=spec.study,
        target=None if spec.target is None else Target(spec.target.metric, spec.target.value),
        grid=spec.grid,
        lr_range=None
        if kind is None
        else LrRangeTest(low=kind.low, high=kind.high, steps=kind.steps, smoothing=kind.smoothing),
        batch_size_scan=None
        if spec.batch_size_scan is None
        else BatchSizeScan(rule=spec.batch_size_scan.rule, base=spec.batch_size),
        coordinate_check=None
        if spec.coordinate_check is None
        else CoordinateCheck(widths=tuple(spec.coordinate_check.widths), updates=spec.coordinate_check.updates),
        diagnostics=spec.diagnostics is not None,
        warnings=warnings,
        described=described(spec),
    )


def trained_results(
    spec: Spec,
    *,
    task: Task,
    paths: DatasetPaths,
    steps_per_epoch: Sequence[int],
    runs: Sequence[RunResult],
    series: Callable[[str], Iterable[Series]],
    rungs: Sequence[Mapping[str, Any]] = (),
    looks: Sequence[Mapping[str, Any]] = (),
    measured: Collection[str] = (),
    warnings: Sequence[Problem] = (),
    correct: Callable[[], Mapping[int, NDArray[np.bool_]]] = dict,
    classified: Callable[[], Mapping[int, ClassSummary]] = dict,
) -> Results:
    """Return the results of a spec's runs; the arguments are those of `design_of` and `Results`.

    What has a last value in some run is measured, whether `measured` names it or not. Its seeds are those of some run:
    of adaptive ones fewer than there might have been.
    """
    measured = {*measured, *(metric for run in runs for metric in run.final)}
    design = design_of(
        spec, task=task, paths=paths, steps_per_epoch=steps_per_epoch, measured=measured, warnings=warnings
    )
    if spec.adaptive is not None:
        trained = {run.seed for run in runs}
        design = replace(design, seeds=[seed for seed in design.seeds if seed in trained])
    return Results(
        design=design,
        runs=runs,
        series=series,
        rungs=rungs,
        looks=looks,
        correct=correct,
        classified=classified,
    )


def rung_rule(spec: Spec, task: Task) -> RungRule:
    """Return how a spec's arms are pruned. Raises ValueError for a spec without pruning.

    Where schedules differ, two looks in a row decide: curves that only start slowly may cross.
    """
    if spec.pruning is None:
        raise ValueError("the spec has no pruning")
    rungs = spec.pruning.rungs(spec.expanded[0].treatment.epochs)
    in_a_row = looks_in_a_row(spec)
    looks = max(1, len(rungs) - in_a_row + 1)
    return RungRule(metric=spec.pruning.judged(task), looks=looks, level=spec.pruning.level, in_a_row=in_a_row)


def _metrics(task: Task, measured: Collection[str], split: Split) -> dict[str, Metric]:
    """Return the metrics of a task in the order in which they are judged: those of the split that is judged first."""
    found = [m.for_task(task) for m in metrics.values() if task in m.tasks]
    found = [m for m in found if (m.standard and (m.split != "test" or m.split == split)) or m.name in measured]
    return {m.name: m for m in sorted(found, key=lambda m: (not m.is_primary(task), m.split != split))}


def _steps(spec: Spec, known: Sequence[int]) -> list[int | None]:
    """Return the updates in an epoch of every arm; by its batch size from the first arm's, where only that is known."""
    if not known:
        return [None] * len(spec.expanded)
    if len(known) == len(spec.expanded):
        return list(known)
    sizes = [arm.treatment.batch_size for arm in spec.expanded]
    return [max(1, math.ceil(known[0] * sizes[0] / size)) for size in sizes]


def _widths(spec: Spec) -> Sequence[int | None]:
    """Return the width of each arm's model, where a coordinate check has set it."""
    if spec.coordinate_check is None:
        return [None] * len(spec.expanded)
    widths = spec.coordinate_check.widths
    return widths * (len(spec.expanded) // len(widths))


def _splits(spec: Spec, treatment: Treatment, paths: DatasetPaths, seed: int) -> Splits:
    """Return the splits that an arm's run of a seed trains on. Raises `DataError`."""
    entry, seed = treatment.dataset, spec.sources(seed).split
    dataset: Dataset = of_seed(entry, seed) if spec.split == "per_seed" else entry.build()
    return dataset.load(paths)


def _arm(
    arm: Arm,
    steps_per_epoch: int | None,
    width: int | None,
    splits: Callable[[int], Splits],
    init_of: Callable[[int], int],
    paths: DatasetPaths,
) -> DesignArm:
    asked = arm.asked or arm
    treatment: Treatment = arm.treatment
    return DesignArm(
        label=arm.label,
        settings=arm.settings,
        steps_per_epoch=steps_per_epoch,
        asked=None if arm.asked is None else asked.label,
        asked_lr=_rate(asked.treatment),
        width=width,
        training=None if _is_absent(treatment) else _training(treatment, splits, init_of, paths),
    )


def _is_absent(treatment: Treatment) -> bool:
    """Return whether the code that a part of it names is not here any more: what was measured can still be judged."""
    return any(isinstance(entry, Absent) for entry in entries_in(treatment))


def _is_tested(dataset: Entry) -> bool:
    """Return whether a data set has a test split; of one that is not here any more, whether the spec asked for it."""
    if isinstance(dataset, Absent):
        return bool(dataset.parameters().get("test_fraction"))
    return bool(dataset.build().tested)


def _training(
    treatment: Treatment, splits: Callable[[int], Splits], init_of: Callable[[int], int], paths: DatasetPaths
) -> ArmTraining:
    initializer: Initializer = treatment.initializer.build()

    def info() -> DatasetInfo:
        found: DatasetInfo = treatment.dataset.build().info(paths)
        return found

    def layers() -> Mapping[str, Layer]:
        data = info()
        return size(treatment.model, data.inputs, data.outputs).layers

    def weights(seed: int) -> State:
        def examples(init: int, count: int) -> torch.Tensor:
            return calibration_examples(splits(seed).x_train)(init, count)

        return initial_state(treatment, info(), init_of(seed), examples=examples, targets=lambda: splits(seed).y_train)

    return ArmTraining(
        epochs=treatment.epochs,
        batch_size=treatment.batch_size,
        lr=_rate(treatment),
        usual_lr=float(type(treatment.optimizer).model_fields["lr"].default),
        initializer=initializer,
        start=repr((treatment.initializer, treatment.model, treatment.dataset)),
        info=info,
        notes=lambda: treatment.dataset.build().notes(paths),
        layers=layers,
        weights=weights,
    )


def _rate(treatment: Treatment) -> float:
    return float(treatment.optimizer.parameters()["lr"])
