"""Training of an experiment in one call, for a notebook: the service's numbers, without a database."""

import hashlib
import itertools
import json
import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import torch

from core.analysis import Decision, Look, decide_rung, pruned_arms, take_look
from core.datasets import DatasetInfo, DatasetPaths
from core.errors import InvalidSpec, Problem
from core.registry import Entry
from core.results import Results
from core.spec import Arm, ArmInfo, Spec, check
from core.training.checkpoint import Checkpoint
from core.training.designs import design_of, rung_rule
from core.training.faults import Fault, classify
from core.training.lanes.data import TrainingData, load_data
from core.training.lanes.trainer import train_lanes
from core.training.measured import Lanes, measured_results, values_at
from core.training.memory import release
from core.training.options import Layout, Resume, TrainOptions
from core.training.planning.machine import free_memory
from core.training.planning.plan import PlannedCohort, make_plan
from core.training.planning.profile import Device, Profile
from core.training.recorded import recorded_into, restore
from core.training.recorder import Lane, MemoryRecorder, lane_of
from core.training.weights_folder import WeightsFolder

log = logging.getLogger(__name__)


def train(spec: Spec, paths: DatasetPaths, *, checkpoints: Path | None = None, weights: Path | None = None) -> Results:
    """Train every run of the experiment in this process and keep all points in memory.

    `paths` are the folders of the data sets. With a folder for `checkpoints`, training leaves a file there every
    `spec.checkpoint_every` seconds; after an interruption the same call goes on from it, and when all is done the files
    are removed. Where memory runs out, runs that trained together are trained in halves.

    `weights` is the folder for the weights that the spec keeps: `weights_file(weights, run.id, "final")` of each of the
    results' runs, replaced where it was there, for `load_model`.

    Raises `InvalidSpec` for arms that do not fit together and for weights without a folder, `DataError` for data that
    cannot be read, none after training has begun; `DamagedCheckpoint` for a file in the folder that is not whole,
    OSError where a file cannot be written.
    """
    if spec.keep and weights is None:
        raise InvalidSpec([Problem("keep", "needs a folder for the weights: train(..., weights=folder)")])
    threads = torch.get_num_threads()
    torch.set_num_threads(spec.threads)  # as the service's processes have: sums round by how many share them
    try:
        return _train(spec, paths, checkpoints, weights)
    finally:
        torch.set_num_threads(threads)


def _train(spec: Spec, paths: DatasetPaths, checkpoints: Path | None, weights: Path | None) -> Results:
    infos = check(spec, paths)
    device: Device = ("cuda" if torch.cuda.is_available() else "cpu") if spec.device == "auto" else spec.device
    training = _Training(spec=spec, paths=paths, infos=infos, device=device, folder=checkpoints, weights=weights)
    parts: list[_Part] = []
    rungs: list[Decision] = []
    looks: list[Look] = []
    for look, cohorts in itertools.groupby(make_plan(spec, infos, _guess(device)).cohorts, lambda one: one.look):
        if look is not None:
            looks.append(take_look(training.results(parts, looks=looks)))
            if not looks[-1]["arms"]:
                break
        rungs, more = training.pruned(training.parts_of(cohorts, looks))
        parts += more
    if spec.adaptive is not None and (not looks or looks[-1]["arms"]):
        looks.append(take_look(training.results(parts, looks=looks)))
    for part in parts:
        if part.path is not None:
            part.path.unlink(missing_ok=True)
    return training.results(parts, rungs=rungs, looks=looks)


@dataclass(frozen=True, kw_only=True)
class _Training:
    """One experiment's inputs, and all runs that it may come to."""

    spec: Spec
    paths: DatasetPaths
    infos: Sequence[ArmInfo]
    device: Device
    folder: Path | None
    weights: Path | None

    def __post_init__(self) -> None:
        for arm in self.spec.expanded:
            self._data(arm.treatment.dataset)

    @cached_property
    def _lanes(self) -> Lanes:
        arms, seeds = self.spec.expanded, self.spec.seed_list
        every = itertools.product((None, *self.spec.again), range(len(arms)), seeds)
        return {
            (again, i, seed): lane_of(self.spec, run, arms[i].treatment, seed, again)
            for run, (again, i, seed) in enumerate(every)
        }

    @cached_property
    def _data(self) -> Callable[[Entry], TrainingData]:
        per_seed = self.spec.split == "per_seed"
        return cache(lambda dataset: load_data(dataset, self.spec.split_seeds, self.paths, per_seed=per_seed))

    def parts_of(self, cohorts: Iterable[PlannedCohort], looks: Sequence[Look]) -> list["_Part"]:
        """Return the cohorts to be trained, without the arms that the last look has left out."""
        arms, found = self.spec.expanded, list[_Part]()
        for cohort in cohorts:
            members = [one for one in cohort.members if not looks or arms[one[0]].label in looks[-1]["arms"]]
            if not members:
                continue
            work = _Work(
                spec=self.spec,
                data=self._data(arms[members[0][0]].treatment.dataset),
                info=self.infos[members[0][0]].data,
                device=self.device,
                layout=cohort.layout,
                folder=self.folder,
                weights=self.weights,
                labels={self._lanes[cohort.again, *member].run: arms[member[0]].label for member in members},
            )
            found.append(_Part(work, [self._lanes[cohort.again, *member] for member in members]))
        return found

    def pruned(self, parts: list["_Part"]) -> tuple[list[Decision], list["_Part"]]:
        """Train parts to their end, arms pruned on the way; return what was decided, and the parts or their halves."""
        arms, decided = self.spec.expanded, list[Decision]()
        for rung in self.spec.pruning.rungs(arms[0].treatment.epochs) if self.spec.pruning else ():
            parts = [one for part in parts for one in part.train(rung, _pruned_at(self._lanes, arms, decided))]
            task = self.infos[0].data.task
            rule = rung_rule(self.spec, task)
            design = design_of(self.spec, task=task, paths=self.paths, measured=[rule.metric])
            measured = values_at(rung, design, rule.metric, self._lanes, _merged(parts))
            decided.append(decide_rung(design, rule, epoch=rung, measured=measured, before=decided))
        pruned_at = _pruned_at(self._lanes, arms, decided)
        return decided, [one for part in parts for one in part.train(None, pruned_at)]

    def results(
        self, parts: Sequence["_Part"], *, rungs: Sequence[Decision] = (), looks: Sequence[Look] = ()
    ) -> Results:
        """Return the results of the parts that have been trained."""
        trained = {lane.run for part in parts for lane in part.lanes}
        lanes = {key: lane for key, lane in self._lanes.items() if lane.run in trained}
        return measured_results(self.spec, self.paths, self.infos, lanes, _merged(parts), rungs=rungs, looks=looks)


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
    weights: Path | None
    labels: Mapping[int, str]
    """Those of the arms, by run."""


class _Part:
    """Lanes that train together, their measurements, and the checkpoint that they continue from."""

    def __init__(self, work: _Work, lanes: Sequence[Lane]) -> None:
        self.recorder = MemoryRecorder()
        self.path = self._file(work, lanes)
        self._work, self.lanes = work, lanes
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
            if len(self.lanes) == 1 or classify(error) is not Fault.MEMORY:
                raise
            log.warning("memory ran out for %d runs at once; they are trained in halves", len(self.lanes))
        if self.path is not None:
            self.path.unlink(missing_ok=True)  # of a rung before: nobody goes on from it
        release()
        half = len(self.lanes) // 2
        halves = [_Part(self._work, self.lanes[:half]), _Part(self._work, self.lanes[half:])]
        return [one for part in halves for one in part.train(until, pruned_at)]

    def _train(self, until: int | None, pruned_at: Mapping[int, int]) -> None:
        if self._start is not None and (not self._start.runs or self._start.epochs >= (until or math.inf)):
            return
        if self._start is None:
            self.recorder.began = time.monotonic()
        keep = None if self.path is None else recorded_into(self.recorder, self.path)
        folder, labels, info = self._work.weights, self._work.labels, self._work.info
        self._start = train_lanes(
            self.lanes,
            self._work.data,
            self._work.info,
            self.recorder,
            TrainOptions.of(self._work.spec, self._work.device, self._work.layout),
            Resume(start=self._start, until=until, pruned_at=pruned_at),
            keep=keep,
            weights=None if folder is None else WeightsFolder(folder, self.lanes, labels, info),
        )
        if self._start is None:
            self._start = Checkpoint(step=self.recorder.step, epochs=self.lanes[0].treatment.epochs, runs=[], state={})
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
        whole.classified |= part.recorder.classified
        whole.outcomes |= part.recorder.outcomes
        whole.seconds |= part.recorder.seconds
    return whole


def _pruned_at(lanes: Lanes, arms: Sequence[Arm], decided: Sequence[Decision]) -> dict[int, int]:
    """Return the epochs after which the runs of pruned arms end, by run."""
    pruned = pruned_arms(decided)
    return {lane.run: pruned[arms[i].label] for (_, i, _), lane in lanes.items() if arms[i].label in pruned}
