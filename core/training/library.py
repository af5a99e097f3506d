"""Training of an experiment in one call, for a notebook: the service's numbers, without a database."""

import hashlib
import itertools
import json
import logging
import math
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from core.analysis import Decision, decide_rung, pruned_arms
from core.datasets import DatasetInfo, DatasetPaths
from core.design import Design
from core.finite import finite_or_none
from core.metrics import metric_names
from core.results import Results, RunResult, Series
from core.spec import Arm, ArmInfo, Spec, check, warnings_of
from core.training.checkpoint import Checkpoint
from core.training.designs import design_of, rung_rule, trained_results
from core.training.faults import Fault, classify
from core.training.lanes.data import TrainingData, load_data
from core.training.lanes.trainer import train_lanes
from core.training.memory import release
from core.training.options import Layout, Resume, TrainOptions
from core.training.planning.machine import free_memory
from core.training.planning.plan import make_plan
from core.training.planning.profile import Device, Profile
from core.training.recorded import recorded_into, restore
from core.training.recorder import Lane, MemoryRecorder

log = logging.getLogger(__name__)

_Lanes = Mapping[tuple[bool, int, int], Lane]
"""Lanes by whether they are second trainings, the arm's index and the seed."""


def train(spec: Spec, paths: DatasetPaths, *, checkpoints: Path | None = None) -> Results:
    """Train every run of the experiment in this process and keep all points in memory.

    `paths` are the folders of the data sets. With a folder for `checkpoints`, training leaves a file there every
    `spec.checkpoint_every` seconds; after an interruption the same call goes on from it, and when all is done the files
    are removed. Where memory runs out, runs that trained together are trained in halves.

    Raises `InvalidSpec` for arms that do not fit together, `DataError` for data that cannot be read, neither after
    training has begun; `DamagedCheckpoint` for a file in the folder that is not whole, OSError where none can be
    written.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(spec.threads)  # as the service's processes have: sums round by how many share them
    try:
        return _train(spec, paths, checkpoints)
    finally:
        torch.set_num_threads(threads)


def _train(spec: Spec, paths: DatasetPaths, checkpoints: Path | None) -> Results:
    infos = check(spec, paths)
    arms, seeds = spec.expanded, spec.seed_list
    device: Device = ("cuda" if torch.cuda.is_available() else "cpu") if spec.device == "auto" else spec.device
    every = itertools.product((False, True)[: spec.trainings], range(len(arms)), seeds)
    lanes = {
        (repeat, i, seed): Lane(run, arms[i].treatment, seed, repeat) for run, (repeat, i, seed) in enumerate(every)
    }
    load = cache(lambda dataset: load_data(dataset, seeds, paths, per_seed=spec.split == "per_seed"))
    for arm in arms:
        load(arm.treatment.dataset)
    parts = []
    for cohort in make_plan(spec, infos, _guess(device)).cohorts:
        first = cohort.members[0][0]
        work = _Work(
            spec=spec,
            data=load(arms[first].treatment.dataset),
            info=infos[first].data,
            device=device,
            layout=cohort.layout,
            folder=checkpoints,
        )
        parts.append(_Part(work, [lanes[cohort.repeat, *member] for member in cohort.members]))
    decided: list[Decision] = []
    for rung in spec.pruning.rungs(arms[0].treatment.epochs) if spec.pruning else ():
        parts = [one for part in parts for one in part.train(rung, _pruned_at(lanes, arms, decided))]
        rule = rung_rule(spec, infos[0].data.task)
        design = design_of(spec, task=infos[0].data.task, paths=paths, measured=[rule.metric])
        values = _values_at(rung, design, rule.metric, lanes, _merged(parts))
        decided.append(decide_rung(design, rule, epoch=rung, values=values, gone=pruned_arms(decided)))
    parts = [one for part in parts for one in part.train(None, _pruned_at(lanes, arms, decided))]
    for part in parts:
        if part.path is not None:
            part.path.unlink(missing_ok=True)
    return _results(spec, paths, infos, lanes, _merged(parts), decided)


def _guess(device: Device) -> Profile:
    """Return the profile to plan with, guessed but for the memory of a GPU."""
    return Profile.guess(memory=free_memory().get("cuda") if device == "cuda" else None, device=device)


@dataclass(frozen=True, kw_only=True)
class _Work:
    """Inputs that a cohort's parts share."""

    spec: Spec
    data: TrainingData
    info: DatasetInfo
    device: Device
    layout: Layout
    folder: Path | None


class _Part:
    """Lanes that train together, their measurements, and the checkpoint that they continue from."""

    def __init__(self, work: _Work, lanes: Sequence[Lane]) -> None:
        self.recorder = MemoryRecorder()
        self.path = self._file(work, lanes)
        self._work, self._lanes = work, lanes
        self._start: Checkpoint | None = None
        if self.path is not None and self.path.exists():
            self._start = Checkpoint.read(self.path)
            restore(self.recorder, self._start.state)

    def train(self, until: int | None, pruned_at: Mapping[int, int]) -> list["_Part"]:
        """Train to epoch `until` at least, or to the end; return this part, or its halves where memory ran out."""
        try:
            self._train(until, pruned_at)
            return [self]
        except Exception as error:
            if len(self._lanes) == 1 or classify(error) is not Fault.MEMORY:
                raise
            log.warning("memory ran out for %d runs at once; they are trained in halves", len(self._lanes))
        if self.path is not None:
            self.path.unlink(missing_ok=True)  # of a rung before: nobody goes on from it
        release()
        half = len(self._lanes) // 2
        halves = [_Part(self._work, self._lanes[:half]), _Part(self._work, self._lanes[half:])]
        return [one for part in halves for one in part.train(until, pruned_at)]

    def _train(self, until: int | None, pruned_at: Mapping[int, int]) -> None:
        if self._start is not None and (not self._start.runs or self._start.epochs >= (until or math.inf)):
            return
        if self._start is None:
            self.recorder.began = time.monotonic()
        keep = None if self.path is None else recorded_into(self.recorder, self.path)
        self._start = train_lanes(
            self._lanes,
            self._work.data,
            self._work.info,
            self.recorder,
            TrainOptions.of(self._work.spec, self._work.device, self._work.layout),
            Resume(start=self._start, until=until, pruned_at=pruned_at),
            keep=keep,
        )
        if self._start is None:
            self._start = Checkpoint(step=self.recorder.step, epochs=self._lanes[0].treatment.epochs, runs=[], state={})
        if keep is not None:
            keep(self._start)
        if self._work.device == "cuda":
            release()

    @staticmethod
    def _file(work: _Work, lanes: Sequence[Lane]) -> Path | None:
        """Return the checkpoint's file, which these lanes, their experiment, the kind of device and the layout name."""
        if work.folder is None:
            return None
        runs = [lane.run for lane in lanes]
        words = json.dumps([work.spec.canonical(), runs, work.device, work.layout], sort_keys=True)
        return work.folder / f"{hashlib.sha256(words.encode()).hexdigest()[:32]}.safetensors"


def _merged(parts: Sequence[_Part]) -> MemoryRecorder:
    """Return the measurements of all parts."""
    whole = MemoryRecorder()
    for part in parts:
        whole.blocks |= part.recorder.blocks
        whole.begins |= part.recorder.begins
        whole.correct |= part.recorder.correct
        whole.outcomes |= part.recorder.outcomes
        whole.seconds |= part.recorder.seconds
    return whole


def _pruned_at(lanes: _Lanes, arms: Sequence[Arm], decided: Sequence[Decision]) -> dict[int, int]:
    """Return the epochs after which the runs of pruned arms end, by run."""
    pruned = pruned_arms(decided)
    return {lane.run: pruned[arms[i].label] for (_, i, _), lane in lanes.items() if arms[i].label in pruned}


def _values_at(rung: int, design: Design, metric: str, lanes: _Lanes, measured: MemoryRecorder) -> NDArray[np.float64]:
    """Return a metric of the first trainings after so many epochs, (arms, seeds); where one stopped early, its last."""

    def value(run: int) -> float | None:
        points = np.concatenate(measured.blocks.get((run, metric), [np.empty(0)]))
        there = len(points) >= rung or (len(points) and measured.outcomes.get(run) == "stopped_early")
        return float(points[min(rung, len(points)) - 1]) if there else None

    return design.matrix(
        (design.labels[arm], seed, value(lane.run)) for (repeat, arm, seed), lane in lanes.items() if not repeat
    )


def _results(
    spec: Spec,
    paths: DatasetPaths,
    infos: Sequence[ArmInfo],
    lanes: _Lanes,
    recorder: MemoryRecorder,
    decided: Sequence[Decision],
) -> Results:
    points = recorder.series
    totals = {lane.run: infos[arm].steps for (_, arm, _), lane in lanes.items()}
    labels = {lane.run: spec.expanded[arm].label for (_, arm, _), lane in lanes.items()}

    def final(run: int) -> dict[str, float | None]:
        last = {m: float(points[run, m][-1]) for m in metric_names() if (run, m) in points}
        return {metric: finite_or_none(value) for metric, value in last.items()}

    of_run: dict[int, list[str]] = defaultdict(list)
    for run, metric in sorted(points):
        of_run[run].append(metric)

    def series(repeat: bool, wanted: str) -> list[Series]:
        return [
            Series(
                run_id=lane.run,
                arm=labels[lane.run],
                seed=lane.seed,
                metric=metric,
                steps=(recorder.begins.get((lane.run, metric), 0) + np.arange(len(values))) * every,
                values=values.astype(np.float64),
            )
            for lane in lanes.values()
            for metric in of_run[lane.run]
            if lane.repeat == repeat and wanted in (metric, metric.partition("/")[0])
            for every, values in [(spec.spacing(metric), points[lane.run, metric])]
        ]

    def runs(repeat: bool) -> list[RunResult]:
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
            for lane in lanes.values()
            if lane.repeat == repeat
        ]

    found = trained_results(
        spec,
        task=infos[0].data.task,
        paths=paths,
        steps_per_epoch=[info.steps_per_epoch for info in infos],
        runs=runs(repeat=False),
        series=partial(series, False),
        rungs=decided,
        warnings=warnings_of(spec, infos),
        correct=lambda: recorder.correct,
    )
    return found if spec.repeat is None else found.repeated_as(runs(repeat=True), partial(series, True))
