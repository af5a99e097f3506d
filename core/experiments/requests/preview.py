"""What an experiment would be, if it were posted now."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.datasets import DatasetPaths
from core.experiments.cohorts.heartbeat import profile_for
from core.experiments.requests.uploads import pin
from core.spec import ArmInfo, Spec, check
from core.training import Plan, Profile, make_plan


@dataclass(frozen=True)
class Preview:
    """A spec that would be accepted, its arms' sizes in their order, and how it would be trained."""

    spec: Spec
    info: Sequence[ArmInfo]
    plan: Plan


def preview(session: Session, spec: Spec, sources: DatasetPaths, fallback: Profile) -> Preview:
    """Check a spec as `submit` does, and plan it; nothing is stored. Raises `InvalidSpec` for one that cannot run."""
    spec = pin(session, spec, sources)
    info = check(spec, sources)
    return Preview(spec, info, make_plan(spec, info, profile_for(session, spec.device, fallback)))
