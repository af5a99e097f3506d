"""The job that accepts an experiment: a body is read, checked, planned and stored by a process of the pool."""

from collections import Counter
from typing import NamedTuple

from sqlalchemy import select

from api.bodies import read_spec
from api.job_process import Process, paths_for
from api.judging_jobs import settle_study
from api.schemas import ExperimentOut
from core.errors import Conflict
from core.experiments import requests
from core.experiments.cohorts.heartbeat import profile_for
from core.experiments.queries.progress import progress_of, progress_of_new
from core.external import ExternalSpec
from core.store import Experiment
from core.training import Profile


class Sender(NamedTuple):
    """The caller of a post, the project that it posts to, and its limits."""

    owner: str | None
    project: str
    hidden: frozenset[str]
    """Projects whose data sets are not there."""
    idempotency_key: str | None
    limits: requests.Limits


class Posted(NamedTuple):
    """An experiment that is stored: as JSON, and the wake-up tasks to send, by queue."""

    id: int
    body: bytes
    wake_ups: Counter[str]


def post(body: bytes, fallback: Profile, sender: Sender) -> Posted:
    """Check, plan and store a body's spec; where its experiment is there already under the key, return that.

    No lock is held while it is checked. Raises what `draft` and `submit` of `core.experiments.requests` raise.
    """
    return _stored(draft(body, fallback, sender), sender)


def draft(body: bytes, fallback: Profile, sender: Sender) -> requests.Draft | None:
    """Return a body's spec, checked and planned; None where its experiment is there already under the key."""
    spec = read_spec(body)
    fingerprint = requests.fingerprint_of(spec)
    if spec.study is not None:
        settle_study(sender.project, spec.study)  # what is known by now settles the level of this one
    with Process.database.looking() as session:  # ended before the checks, which may take half a minute
        key = sender.idempotency_key
        if key is not None and requests.known_under(session, key, fingerprint, sender.project):
            return None
        if isinstance(spec, ExternalSpec):
            return requests.draft_external(spec, fingerprint)
        profile = profile_for(session, spec.device, fallback)
    return requests.draft(spec, fingerprint, paths_for(sender.hidden), profile, Process.settings.check_seconds)


def _stored(draft: requests.Draft | None, sender: Sender) -> Posted:
    wake_ups: Counter[str] = Counter()
    with Process.database.transaction() as session:
        if draft is None:
            made = session.scalar(select(Experiment).where(Experiment.idempotency_key == sender.idempotency_key))
            if made is None:
                raise Conflict("the experiment of this Idempotency-Key was deleted meanwhile: post it again")
        else:
            made, wake_ups = requests.submit(
                session,
                draft,
                Process.paths,
                idempotency_key=sender.idempotency_key,
                owner=sender.owner,
                project=sender.project,
                limits=sender.limits,
            )
        found = ExperimentOut.of(made, progress_of_new(made) if wake_ups else progress_of(session, made))
    return Posted(made.id, found.model_dump_json().encode(), wake_ups)
