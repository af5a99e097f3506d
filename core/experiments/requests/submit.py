"""Accepts an experiment: what was checked is stored in one short transaction, and only then are workers notified."""

from collections import Counter
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from core.datasets import DatasetPaths
from core.errors import InvalidSpec, Problem
from core.experiments.cohorts.counts import COUNTS
from core.experiments.cohorts.events import asked_by, record_acceptance
from core.experiments.cohorts.idempotency import forget, is_known
from core.experiments.projects import DEFAULT, Amount, take
from core.experiments.requests.control import wake_ups
from core.experiments.requests.draft import Draft
from core.experiments.requests.quotas import Limits, admit, check_priority
from core.experiments.requests.uploads import keep
from core.failpoints import reached
from core.store import Cohort, Experiment, Run, Tag, now, serialise


def submit(
    session: Session,
    draft: Draft,
    paths: DatasetPaths,
    *,
    idempotency_key: str | None = None,
    owner: str | None = None,
    project: str = DEFAULT,
    limits: Limits = Limits(),  # noqa: B008 a value
) -> tuple[Experiment, Counter[str]]:
    """Store an experiment with its cohorts and runs, all queued; returns it and the wake-up tasks to send, by queue.

    For a day the same `idempotency_key` with the same spec gives the experiment that is there, and no wake-up task.
    Raises `InvalidSpec` for a spec above the owner's limits, and for a key that was used with another, or in another
    project; `TooManyRuns` while too many of the owner's runs have not ended; `QuotaExceeded`; `Conflict` where a user's
    data set has changed since the draft.
    """
    if idempotency_key is not None:
        serialise(session, idempotency_key)
        known = known_under(session, idempotency_key, draft.fingerprint, project)
        if known is not None:
            return known, Counter()
        forget(session, Experiment, idempotency_key)
    check_priority(draft.spec["priority"], limits)
    keep(session, draft.spec, paths)
    admit(session, owner, limits, draft.runs)
    take(session, owner, project, Amount(draft.runs, draft.points), limits.quotas)
    experiment = Experiment(
        name=draft.spec["name"],
        spec=draft.spec,
        steps_per_epoch=list(draft.steps_per_epoch),
        task=draft.task,
        idempotency_key=idempotency_key,
        fingerprint=draft.fingerprint,
        warnings=draft.warnings,
        owner=owner,
        project=project,
        points=draft.points,
        next_look=draft.looks[0] if draft.looks else None,
        progress=_nothing_yet(draft),
        created_at=session.scalar(select(now())),
        tags=[Tag(tag=tag) for tag in dict.fromkeys(draft.spec["tags"])],
    )
    session.add(experiment)
    session.flush()
    _queue(session, experiment, draft)
    record_acceptance(session, experiment.id, runs=draft.runs, cohorts=len(draft.cohorts), **asked_by(owner))
    reached("submit.before_commit")
    return experiment, wake_ups(session, experiment.id)


def known_under(session: Session, idempotency_key: str, fingerprint: str, project: str) -> Experiment | None:
    """Return the experiment that was made under a key in the last day, if any.

    Raises `InvalidSpec` where its spec is another one, or its project.
    """
    known = session.scalar(select(Experiment).where(is_known(Experiment, idempotency_key)))
    if known is not None and known.fingerprint != fingerprint:
        raise InvalidSpec([Problem("Idempotency-Key", f"was used for experiment {known.id}, another spec")])
    if known is not None and known.project != project:
        text = f"was used for experiment {known.id}, of the project {known.project!r}"
        raise InvalidSpec([Problem("Idempotency-Key", text)])
    return known


def _nothing_yet(draft: Draft) -> dict[str, Any]:
    """Return the progress of what waits, as `core.experiments.cohorts.counts` would count it: a post is to be quick."""
    runs = Counter(arm for planned in draft.cohorts for arm, _ in planned.members)
    arms = []
    for arm, number in sorted(runs.items()):
        steps = number * draft.steps[arm]
        totals = {"label": draft.labels[arm], "runs_total": number, "steps_total": steps, "left": steps}
        arms.append(dict.fromkeys(COUNTS, 0) | totals)
    return {"arms": arms, "attempt": 0, "errors": []}


def _queue(session: Session, experiment: Experiment, draft: Draft) -> None:
    cohorts = [
        Cohort(
            experiment_id=experiment.id,
            priority=draft.spec["priority"],
            device=draft.spec["device"],
            queue=draft.spec.get("queue"),
            threads=planned.threads,
            layout=planned.layout,
            look=planned.look,
            queued_at=experiment.created_at,
        )
        for planned in draft.cohorts
    ]
    session.add_all(cohorts)
    session.flush()
    place = {seed: i for i, seed in enumerate(draft.seeds)}
    runs = [
        (planned.repeat, arm, seed, cohort.id)
        for cohort, planned in zip(cohorts, draft.cohorts, strict=True)
        for arm, seed in planned.members
    ]
    session.execute(
        insert(Run),
        [
            {
                "experiment_id": experiment.id,
                "cohort_id": cohort_id,
                "arm_index": arm,
                "arm": draft.labels[arm],
                "seed": seed,
                "repeat": repeat,
                "steps_total": draft.steps[arm],
            }
            for repeat, arm, seed, cohort_id in sorted(runs, key=lambda run: (run[0], run[1], place[run[2]]))
        ],
    )
