"""The whole of an experiment in one call, for a notebook: the numbers that the service gives, without a database."""

from functools import cache

import numpy as np
import torch

from core.datasets import Sources, Splits
from core.registry import Entry
from core.results import EPOCH_METRICS, STEP_METRICS, Results, RunResult, Series
from core.spec import ArmFacts, Spec, check
from core.training.ensemble import train_lanes
from core.training.plan import make_plan
from core.training.profile import Device, Profile
from core.training.recorder import Lane, MemoryRecorder


def train(spec: Spec, sources: Sources) -> Results:
    """Train every run of the experiment in this process and keep all points in memory.

    `sources` are the folders of the data sets. Raises `InvalidSpec` for arms that do not fit together, `DataError` for
    data that cannot be read; neither after training has begun.
    """
    facts = check(spec, sources)
    arms, seeds = spec.expanded, spec.seed_list
    device: Device = ("cuda" if torch.cuda.is_available() else "cpu") if spec.device == "auto" else spec.device
    lanes = {
        (i, seed): Lane(i * len(seeds) + j, arm.treatment, seed)
        for i, arm in enumerate(arms)
        for j, seed in enumerate(seeds)
    }
    load = cache(lambda dataset: _load(dataset, sources))
    for arm in arms:
        load(arm.treatment.dataset)
    recorder = MemoryRecorder()
    for cohort in make_plan(spec, facts, Profile.guess(device=device)).cohorts:
        first = cohort.members[0][0]
        data = load(arms[first].treatment.dataset)
        train_lanes([lanes[member] for member in cohort.members], data, facts[first].data, recorder, device=device)
    return _results(spec, sources, facts[0], lanes, recorder)


def _load(dataset: Entry, sources: Sources) -> Splits:
    splits: Splits = dataset.build().load(sources)
    return splits


def _results(
    spec: Spec, sources: Sources, first: ArmFacts, lanes: dict[tuple[int, int], Lane], recorder: MemoryRecorder
) -> Results:
    points = recorder.series
    labels = {lane.run: spec.expanded[arm].label for (arm, _), lane in lanes.items()}

    def final(run: int) -> dict[str, float | None]:
        last = {m: float(points[run, m][-1]) for m in (*STEP_METRICS, *EPOCH_METRICS) if (run, m) in points}
        return {metric: value if np.isfinite(value) else None for metric, value in last.items()}

    def series(metric: str) -> list[Series]:
        return [
            Series(lane.run, labels[lane.run], lane.seed, metric, np.arange(len(values)), values.astype(np.float64))
            for lane in lanes.values()
            if (values := points.get((lane.run, metric))) is not None
        ]

    runs = [
        RunResult(run, labels[run], lane.seed, "succeeded", recorder.outcomes[run], final(run))
        for lane in lanes.values()
        for run in [lane.run]
    ]
    return Results(spec, first.steps_per_epoch, runs, series, sources, first.data.task)
