"""The whole of an experiment in one call, for a notebook: the numbers that the service gives, without a database."""

import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch

from core.datasets import Facts, Sources, Splits
from core.registry import Entry
from core.results import EPOCH_METRICS, STEP_METRICS, Results, RunResult, Series, spacing
from core.spec import ArmFacts, Spec, check
from core.training.checkpoint import Checkpoint
from core.training.ensemble import train_lanes
from core.training.faults import out_of_memory
from core.training.plan import make_plan
from core.training.profile import Device, Profile
from core.training.recorder import Lane, MemoryRecorder

log = logging.getLogger(__name__)


def train(spec: Spec, sources: Sources, *, checkpoints: Path | None = None) -> Results:
    """Train every run of the experiment in this process and keep all points in memory.

    `sources` are the folders of the data sets. With a folder for `checkpoints`, training leaves a file there every
    `spec.checkpoint_every` seconds; after an interruption the same call goes on from it, and when all is done the files
    are removed. Where memory runs out, runs that trained together are trained in halves.

    Raises `InvalidSpec` for arms that do not fit together, `DataError` for data that cannot be read, neither after
    training has begun; `DamagedCheckpoint` for a file in the folder that is not whole, OSError where none can be
    written.
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
    whole = MemoryRecorder()
    files = []
    for cohort in make_plan(spec, facts, Profile.guess(device=device)).cohorts:
        first = cohort.members[0][0]
        work = _Work(spec, load(arms[first].treatment.dataset), facts[first].data, device, checkpoints)
        for recorder, path in work.train([lanes[member] for member in cohort.members]):
            whole.blocks |= recorder.blocks
            whole.outcomes |= recorder.outcomes
            whole.seconds |= recorder.seconds
            files.append(path)
    for path in files:
        if path is not None:
            path.unlink(missing_ok=True)
    return _results(spec, sources, facts, lanes, whole)


@dataclass(frozen=True)
class _Work:
    """What the cohorts of a data set are trained with."""

    spec: Spec
    data: Splits
    facts: Facts
    device: Device
    folder: Path | None

    def train(self, lanes: Sequence[Lane]) -> list[tuple[MemoryRecorder, Path | None]]:
        """Train lanes, together or, where memory runs out, in halves: what each part measured, and its file."""
        path = self._path(lanes)
        try:
            return [(self._together(lanes, path), path)]
        except Exception as error:
            if len(lanes) == 1 or not out_of_memory(error):
                raise
            log.warning("memory ran out for %d runs at once; they are trained in halves", len(lanes))
        if self.device == "cuda":
            torch.cuda.empty_cache()
        half = len(lanes) // 2
        return [*self.train(lanes[:half]), *self.train(lanes[half:])]

    def _together(self, lanes: Sequence[Lane], path: Path | None) -> MemoryRecorder:
        recorder = MemoryRecorder()
        start = keep = None
        if path is not None:
            if path.exists():
                start = Checkpoint.read(path)
                _restore(recorder, start.state)
            keep = _keeper(recorder, path)
        if start is None or start.runs:
            train_lanes(
                *(lanes, self.data, self.facts, recorder),
                device=self.device,
                updates=self.spec.updates,
                noise_every=self.spec.noise_every,
                start=start,
                keep=keep,
                keep_seconds=self.spec.checkpoint_every,
                diagnose_every=self.spec.diagnostics.every if self.spec.diagnostics else None,
            )
        if keep is not None:
            keep(Checkpoint(recorder.step, lanes[0].treatment.epochs, [], {}))
        return recorder

    def _path(self, lanes: Sequence[Lane]) -> Path | None:
        """The file of these lanes of this experiment on this kind of device."""
        if self.folder is None:
            return None
        words = json.dumps([self.spec.canonical(), [lane.run for lane in lanes], self.device], sort_keys=True)
        return self.folder / f"{hashlib.sha256(words.encode()).hexdigest()[:32]}.safetensors"


def _keeper(recorder: MemoryRecorder, path: Path) -> Callable[[Checkpoint], None]:
    """Writes checkpoints that hold what was measured until then."""

    def keep(checkpoint: Checkpoint) -> None:
        points = {f"points/{run}/{metric}": torch.from_numpy(v) for (run, metric), v in recorder.series.items()}
        diverged = [run for run, outcome in recorder.outcomes.items() if outcome == "diverged"]
        ended = {"points/diverged": torch.tensor(diverged, dtype=torch.int64)}
        completed = {"points/completed": torch.tensor(sorted(recorder.outcomes.keys() - set(diverged)))}
        replace(checkpoint, state={**checkpoint.state, **points, **ended, **completed}).write(path)

    return keep


def _restore(recorder: MemoryRecorder, state: Mapping[str, torch.Tensor]) -> None:
    """Take back what a checkpoint held beside its state; how long that took is not known."""
    recorder.began = None
    for name, values in state.items():
        _, _, key = name.partition("points/")
        if key in ("diverged", "completed"):
            recorder.outcomes |= dict.fromkeys(values.long().tolist(), key)
        elif key:
            run, _, metric = key.partition("/")
            recorder.blocks[int(run), metric].append(values.numpy())


def _load(dataset: Entry, sources: Sources) -> Splits:
    splits: Splits = dataset.build().load(sources)
    return splits


def _results(
    spec: Spec,
    sources: Sources,
    facts: Sequence[ArmFacts],
    lanes: dict[tuple[int, int], Lane],
    recorder: MemoryRecorder,
) -> Results:
    points = recorder.series
    labels = {lane.run: spec.expanded[arm].label for (arm, _), lane in lanes.items()}

    def final(run: int) -> dict[str, float | None]:
        last = {m: float(points[run, m][-1]) for m in (*STEP_METRICS, *EPOCH_METRICS) if (run, m) in points}
        return {metric: value if np.isfinite(value) else None for metric, value in last.items()}

    of_run: dict[int, list[str]] = defaultdict(list)
    for run, metric in sorted(points):
        of_run[run].append(metric)

    def series(wanted: str) -> list[Series]:
        return [
            Series(
                lane.run, labels[lane.run], lane.seed, metric, np.arange(len(values)) * every, values.astype(np.float64)
            )
            for lane in lanes.values()
            for metric in of_run[lane.run]
            if wanted in (metric, metric.partition("/")[0])
            for every, values in [(spacing(spec, metric), points[lane.run, metric])]
        ]

    runs = [
        RunResult(
            *(run, labels[run], lane.seed, "succeeded", recorder.outcomes[run], final(run)),
            seconds=recorder.seconds.get(run),
            steps_done=len(points[run, "train_loss"]),
        )
        for lane in lanes.values()
        for run in [lane.run]
    ]
    steps = {arm.label: fact.steps_per_epoch for arm, fact in zip(spec.expanded, facts, strict=True)}
    return Results(spec, facts[0].steps_per_epoch, runs, series, sources, facts[0].data.task, steps)
