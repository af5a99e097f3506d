"""Checks and plans a spec, before anything is stored and without the database: what takes long about a request."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.datasets import DatasetPaths
from core.design import Design
from core.errors import Problem, Warned, warned
from core.experiments.requests.uploads import pin
from core.metrics import Task, diagnostics, epoch_metrics, measured_on_test, metric_names
from core.registry import join_path
from core.spec import ArmInfo, Spec, check, warnings_of
from core.training import Plan, Profile, make_plan
from core.training.designs import design_of
from core.training.planning.plan import PlannedCohort


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A spec that would be accepted: its arms' sizes in their order, the plan to train it by, what to beware of.

    `notes` are those on how the data sets were read, as in the experiment's report.
    """

    spec: Spec
    info: Sequence[ArmInfo]
    plan: Plan
    warnings: Sequence[Problem]
    notes: Sequence[Problem]

    @property
    def design(self) -> Design:
        """The comparison that the spec asks for."""
        return design_of(self.spec, task=self.info[0].data.task, paths=DatasetPaths())


@dataclass(frozen=True, kw_only=True)
class Draft:
    """All that storing an experiment takes, in plain values: one process may check a spec for another."""

    spec: dict[str, Any]
    """Canonical, with the content of users' data sets."""
    fingerprint: str
    """That of the spec as it was asked for."""
    labels: Sequence[str]
    """The arms, in their order."""
    seeds: Sequence[int]
    looks: Sequence[int]
    """The seeds after which its arms are looked at; none: all seeds are trained."""
    steps: Sequence[int]
    """Updates of a run of each arm."""
    steps_per_epoch: Sequence[int]
    task: Task
    cohorts: Sequence[PlannedCohort]
    warnings: list[Warned]
    points: int
    """As many as its runs may have, all metrics together."""

    @property
    def runs(self) -> int:
        """The number of runs."""
        return sum(len(cohort.members) for cohort in self.cohorts)


def preview(spec: Spec, paths: DatasetPaths, profile: Profile, seconds: float = math.inf) -> Preview:
    """Check a spec, and plan it for a machine.

    Raises `InvalidSpec` for one that cannot run, and for one whose checks take more than so many `seconds`.
    """
    spec = pin(spec, paths)
    info = check(spec, paths, seconds)
    plan = make_plan(spec, info, profile)
    return Preview(spec=spec, info=info, plan=plan, warnings=warnings_of(spec, info), notes=_notes(spec, paths))


def _notes(spec: Spec, paths: DatasetPaths) -> list[Problem]:
    datasets = dict.fromkeys(arm.treatment.dataset for arm in spec.expanded)
    found = dict.fromkeys(note for one in datasets for note in one.build().notes(paths))
    return [Problem(join_path("dataset", path), message) for path, message in found]


def fingerprint_of(spec: Spec) -> str:
    """Return the SHA-256 of a spec, by which a repeated request is told from another one."""
    return hashlib.sha256(json.dumps(spec.canonical(), sort_keys=True).encode()).hexdigest()


def draft(spec: Spec, fingerprint: str, paths: DatasetPaths, profile: Profile, seconds: float = math.inf) -> Draft:
    """Check and plan a spec as `preview` does, and return it as it would be stored."""
    found = preview(spec, paths, profile, seconds)
    return Draft(
        spec=found.spec.canonical(),
        fingerprint=fingerprint,
        labels=[arm.label for arm in found.spec.expanded],
        seeds=found.spec.seed_list,
        looks=found.spec.adaptive.looks if found.spec.adaptive else (),
        steps=[fact.steps for fact in found.info],
        steps_per_epoch=[fact.steps_per_epoch for fact in found.info],
        task=found.info[0].data.task,
        cohorts=found.plan.cohorts,
        warnings=warned(found.warnings),
        points=_points(found),
    )


def _points(of: Preview) -> int:
    """Return how many points all runs have at most: of every update, after every epoch, and of every layer."""
    spec, total = of.spec, 0
    for arm, info in zip(spec.expanded, of.info, strict=True):
        averaged = arm.treatment.ema_decay is not None
        by_epoch = len(epoch_metrics(info.data.task, info.data.outputs, averaged))
        total += len(measured_on_test(info.data.task, info.data.outputs, averaged)) if info.data.test else 0
        total += info.steps * len(metric_names("step")) + math.ceil(info.steps / info.steps_per_epoch) * by_epoch
        if spec.diagnostics is not None:
            total += math.ceil(info.steps / spec.diagnostics.every) * len(info.size.layers) * len(diagnostics())
    return total * spec.trainings * len(spec.seed_list)
