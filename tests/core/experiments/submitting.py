"""A spec checked, planned and stored, in one go."""

from collections import Counter

from sqlalchemy.orm import Session

from core.datasets import DatasetPaths
from core.experiments import requests
from core.experiments.cohorts.heartbeat import profile_for
from core.experiments.requests import Limits, draft, fingerprint_of
from core.spec import Spec
from core.store import Experiment
from core.training import Profile


def submit(
    session: Session,
    spec: Spec,
    paths: DatasetPaths,
    key: str | None = None,
    owner: str | None = None,
    project: str = "default",
    limits: Limits = Limits(),  # noqa: B008 a value
    fallback: Profile | None = None,
) -> tuple[Experiment, Counter[str]]:
    """Store an experiment as a request does."""
    profile = profile_for(session, spec.device, fallback or Profile.guess())
    made = draft(spec, fingerprint_of(spec), paths, profile)
    return requests.submit(session, made, paths, idempotency_key=key, owner=owner, project=project, limits=limits)
