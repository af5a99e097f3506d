"""Checks and plans a spec, before anything is stored and without the database: what takes long about a request."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.datasets import DatasetPaths
from core.design import Design, Varied
from core.errors import Problem, Warned, warned
from core.experiments.cohorts.designs import AnySpec
from core.experiments.cohorts.eligibility import EXTERNAL
from core.experiments.requests.uploads import pin
from core.external import ExternalSpec
from core.external import design_of as external_design
from core.metrics import Task, diagnostics, epoch_metrics, measured_on_test, metric_names
from core.registry import join_path
from core.spec import ArmInfo, Spec, check, warnings_of
from core.training import Plan, Profile, make_plan
from core.training.designs import design_of
from core.training.planning.plan import PlannedCohort
from core.training.weights import bytes_of


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
class ExternalPreview:
    """An external experiment that would be accepted: it has no plan, as nobody here trains it."""

    spec: ExternalSpec

    @property
    def design(self) -> Design:
        """The comparison that the spec asks for."""
        return external_design(self.spec)


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
    again: Sequence[Varied]
    """The second trainings of every run, by what sets each apart."""
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
    weight_bytes: int
    """As many as the weights may take that its runs keep."""
    device: str
    """The device that its spec asks for, or `EXTERNAL`."""

    @property
    def priority(self) -> int:
        """The priority that it asks for; 0 where nothing waits for a worker."""
        return int(self.spec.get("priority", 0))

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


def fingerprint_of(spec: AnySpec) -> str:
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
        again=found.spec.again,
        looks=found.spec.adaptive.looks if found.spec.adaptive else (),
        steps=[fact.steps for fact in found.info],
        steps_per_epoch=[fact.steps_per_epoch for fact in found.info],
        task=found.info[0].data.task,
        cohorts=found.plan.cohorts,
        warnings=warned(found.warnings),
        points=_points(found),
        weight_bytes=_weight_bytes(found),
        device=found.spec.device,
    )


def draft_external(spec: ExternalSpec, fingerprint: str) -> Draft:
    """Return an external experiment as it would be stored: every run is a cohort of its own, as each goes its own way.

    Its points are counted as they come.
    """
    looks = spec.adaptive.looks if spec.adaptive else ()
    cohorts = [
        PlannedCohort([(arm, seed)], None, 1, "loop", True, 0.0, 0, look)
        for look, seeds in zip([None, *looks], spec.seed_blocks, strict=False)
        for arm in range(len(spec.arms))
        for seed in seeds
    ]
    return Draft(
        spec=spec.canonical(),
        fingerprint=fingerprint,
        labels=spec.labels,
        again=(),
        seeds=spec.seed_list,
        looks=looks,
        steps=[spec.steps or 0] * len(spec.arms),
        steps_per_epoch=[arm.steps_per_epoch or spec.steps_per_epoch or 1 for arm in spec.arms],
        task="multiclass",  # which nobody asks of what is trained elsewhere
        cohorts=cohorts,
        warnings=[],
        points=0,
        device=EXTERNAL,
        weight_bytes=0,
    )


def _weight_bytes(of: Preview) -> int:
    """Return how many bytes the files of all kept weights have at most."""
    if of.spec.keep is None:
        return 0
    of_runs = sum(
        bytes_of(arm.treatment.model, info.data.inputs, info.data.outputs)
        for arm, info in zip(of.spec.expanded, of.info, strict=True)
    )
    return of_runs * len(of.spec.keep) * of.spec.trainings * len(of.spec.seed_list)


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
