"""Previews an experiment as it would be, if it were posted now."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.datasets import DatasetPaths
from core.errors import Problem
from core.experiments.cohorts.heartbeat import profile_for
from core.experiments.requests.uploads import pin
from core.registry import join_path
from core.spec import ArmInfo, Spec, check, warnings_of
from core.training import Plan, Profile, make_plan


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


def preview(session: Session, spec: Spec, paths: DatasetPaths, fallback: Profile) -> Preview:
    """Check a spec as `submit` does, and plan it; nothing is stored. Raises `InvalidSpec` for one that cannot run."""
    spec = pin(session, spec, paths)
    info = check(spec, paths)
    plan = make_plan(spec, info, profile_for(session, spec.device, fallback))
    return Preview(spec=spec, info=info, plan=plan, warnings=warnings_of(spec, info), notes=_notes(spec, paths))


def _notes(spec: Spec, paths: DatasetPaths) -> list[Problem]:
    datasets = dict.fromkeys(arm.treatment.dataset for arm in spec.expanded)
    found = dict.fromkeys(note for one in datasets for note in one.build().notes(paths))
    return [Problem(join_path("dataset", path), message) for path, message in found]
