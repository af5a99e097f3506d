"""Accepts an experiment: everything is checked, then stored in one transaction, and only then are workers notified."""

import hashlib
import json
from collections import Counter

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from core.datasets import DatasetPaths
from core.errors import InvalidSpec, Problem, warned
from core.experiments.cohorts.events import record_event
from core.experiments.cohorts.heartbeat import profile_for
from core.experiments.requests.control import wake_ups
from core.experiments.requests.quotas import Limits, admit, check_priority
from core.experiments.requests.uploads import pin
from core.failpoints import reached
from core.spec import ArmInfo, Spec, check, warnings_of
from core.store import Cohort, Experiment, Run, Tag, now, serialise
from core.training import Plan, Profile, make_plan


def submit(
    session: Session,
    spec: Spec,
    paths: DatasetPaths,
    idempotency_key: str | None = None,
    fallback: Profile | None = None,
    owner: str | None = None,
    limits: Limits = Limits(),  # noqa: B008 a value
) -> tuple[Experiment, Counter[str]]:
    """Store an experiment with its cohorts and runs, all queued; returns it and the wake-up tasks to send, by queue.

    It is planned with a live worker's profile, and with `fallback` where no worker is alive. The same
    `idempotency_key` with the same spec gives the experiment that is there, and no wake-up task.
    Raises `InvalidSpec` for a spec that cannot run, for one above the owner's limits, and for a key that was used with
    another spec; `TooManyRuns` while too many of the owner's runs have not ended.
    """
    fingerprint = hashlib.sha256(json.dumps(spec.canonical(), sort_keys=True).encode()).hexdigest()
    if idempotency_key is not None:
        serialise(session, idempotency_key)
        known = session.scalar(select(Experiment).where(Experiment.idempotency_key == idempotency_key))
        if known is not None:
            if known.fingerprint != fingerprint:
                raise InvalidSpec([Problem("Idempotency-Key", f"was used for experiment {known.id}, another spec")])
            return known, Counter()
    check_priority(spec, limits)
    spec = pin(session, spec, paths)
    info = check(spec, paths)
    admit(session, owner, limits, len(info) * len(spec.seed_list))
    experiment = Experiment(
        name=spec.name,
        spec=spec.canonical(),
        steps_per_epoch=[fact.steps_per_epoch for fact in info],
        task=info[0].data.task,
        idempotency_key=idempotency_key,
        fingerprint=fingerprint,
        warnings=warned(warnings_of(spec, info)),
        owner=owner,
        created_at=session.scalar(select(now())),
        tags=[Tag(tag=tag) for tag in dict.fromkeys(spec.tags)],
    )
    session.add(experiment)
    session.flush()
    plan = make_plan(spec, info, profile_for(session, spec.device, fallback or Profile.guess()))
    _queue(session, experiment, spec, info, plan)
    record_event(session, experiment.id, "accepted", runs=len(info) * len(spec.seed_list), cohorts=len(plan.cohorts))
    reached("submit.before_commit")
    return experiment, wake_ups(session, experiment.id)


def _queue(session: Session, experiment: Experiment, spec: Spec, info: list[ArmInfo], plan: Plan) -> None:
    cohorts = [
        Cohort(
            experiment_id=experiment.id,
            priority=spec.priority,
            device=spec.device,
            queue=spec.queue,
            threads=planned.threads,
            layout=planned.layout,
            queued_at=experiment.created_at,
        )
        for planned in plan.cohorts
    ]
    session.add_all(cohorts)
    session.flush()
    runs = [
        (arm, seed, cohort.id)
        for cohort, planned in zip(cohorts, plan.cohorts, strict=True)
        for arm, seed in planned.members
    ]
    session.execute(
        insert(Run),
        [
            {
                "experiment_id": experiment.id,
                "cohort_id": cohort_id,
                "arm_index": arm,
                "arm": spec.expanded[arm].label,
                "seed": seed,
                "steps_total": info[arm].steps,
            }
            for arm, seed, cohort_id in sorted(runs, key=lambda run: (run[0], spec.seed_list.index(run[1])))
        ],
    )
