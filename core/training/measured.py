"""Results of what was measured in this process, as the service gives them from its database."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from core.analysis import Decision, Look, RungValues
from core.datasets import DatasetPaths
from core.design import Design, Varied
from core.finite import finite_or_none
from core.metrics import metric_names
from core.results import Results, RunResult, Series
from core.spec import ArmInfo, Spec, warnings_of
from core.training.designs import trained_results
from core.training.recorder import Lane, MemoryRecorder

Lanes = Mapping[tuple[Varied | None, int, int], Lane]
"""Lanes by what sets a second training apart, None of a first, the arm's index and the seed."""


def measured_results(
    spec: Spec,
    paths: DatasetPaths,
    infos: Sequence[ArmInfo],
    lanes: Lanes,
    recorder: MemoryRecorder,
    *,
    rungs: Sequence[Decision] = (),
    looks: Sequence[Look] = (),
) -> Results:
    """Return the results of lanes that have been trained, `infos` being those of the spec's arms.

    `rungs` and `looks` are the decisions that were taken on the way.
    """
    points = recorder.series
    totals = {lane.run: infos[arm].steps for (_, arm, _), lane in lanes.items()}
    labels = {lane.run: spec.expanded[arm].label for (_, arm, _), lane in lanes.items()}

    def final(run: int) -> dict[str, float | None]:
        last = {m: float(points[run, m][-1]) for m in metric_names() if (run, m) in points}
        return {metric: finite_or_none(value) for metric, value in last.items()}

    of_run: dict[int, list[str]] = defaultdict(list)
    for run, metric in sorted(points):
        of_run[run].append(metric)

    def series(of: Varied | None, wanted: str) -> list[Series]:
        return [
            Series(
                run_id=lane.run,
                arm=labels[lane.run],
                seed=lane.seed,
                metric=metric,
                steps=(recorder.begins.get((lane.run, metric), 0) + np.arange(len(values))) * every,
                values=values.astype(np.float64),
            )
            for (again, _, _), lane in lanes.items()
            for metric in of_run[lane.run]
            if again == of and wanted in (metric, metric.partition("/")[0])
            for every, values in [(spec.spacing(metric), points[lane.run, metric])]
        ]

    def runs(of: Varied | None) -> list[RunResult]:
        return [
            RunResult(
                id=lane.run,
                arm=labels[lane.run],
                seed=lane.seed,
                status="succeeded",
                outcome=recorder.outcomes[lane.run],
                final=final(lane.run),
                seconds=recorder.seconds.get(lane.run),
                steps_done=len(points[lane.run, "train_loss"]),
                steps_total=totals[lane.run],
            )
            for (again, _, _), lane in lanes.items()
            if again == of
        ]

    found = trained_results(
        spec,
        task=infos[0].data.task,
        paths=paths,
        steps_per_epoch=[info.steps_per_epoch for info in infos],
        runs=runs(None),
        series=partial(series, None),
        rungs=rungs,
        looks=looks,
        warnings=warnings_of(spec, infos),
        correct=lambda: recorder.correct,
        classified=lambda: recorder.classified,
    )
    return found.with_second({again: (runs(again), partial(series, again)) for again in spec.again})


def values_at(rung: int, design: Design, metric: str, lanes: Lanes, measured: MemoryRecorder) -> RungValues:
    """Return a metric of the first trainings after so many epochs, of one that stopped early its last."""

    def found() -> Iterator[tuple[str, int, float | None]]:
        for (again, arm, seed), lane in lanes.items():
            points = np.concatenate(measured.blocks.get((lane.run, metric), [np.empty(0)]))
            outcome = measured.outcomes.get(lane.run)
            if again or (len(points) < rung and outcome not in ("stopped_early", "diverged")):
                continue
            diverged = outcome == "diverged" or not len(points)
            yield design.labels[arm], seed, None if diverged else float(points[min(rung, len(points)) - 1])

    return RungValues.of(design, found())
