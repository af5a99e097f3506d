"""What an experiment would be, if it were posted now."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.datasets import Sources
from core.experiments.datasets import pin
from core.experiments.presence import profile_for
from core.spec import ArmFacts, Spec, check
from core.training import Plan, Profile, make_plan


@dataclass(frozen=True)
class Preview:
    """A spec that would be accepted, its arms' sizes in their order, and how it would be trained."""

    spec: Spec
    facts: Sequence[ArmFacts]
    plan: Plan


def preview(session: Session, spec: Spec, sources: Sources, fallback: Profile) -> Preview:
    """Check a spec as `submit` does, and plan it; nothing is stored. Raises `InvalidSpec` for one that cannot run."""
    spec = pin(session, spec, sources)
    facts = check(spec, sources)
    return Preview(spec, facts, make_plan(spec, facts, profile_for(session, spec.device, fallback)))
