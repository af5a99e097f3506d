"""Accepts an experiment: what was checked is stored in one short transaction, and only then are workers notified."""

from collections import Counter
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from core.datasets import DatasetPaths
from core.errors import InvalidSpec, Problem
from core.experiments.cohorts.counts import COUNTS
from core.experiments.cohorts.eligibility import needed, queues_of
from core.experiments.cohorts.events import asked_by, record_acceptance
from core.experiments.cohorts.idempotency import forget, is_known
from core.experiments.projects import DEFAULT, Amount, take
from core.experiments.projects.studies import enter
from core.experiments.requests.draft import Draft
from core.experiments.requests.quotas import Limits, admit, check_priority, check_runs
from core.experiments.requests.uploads import keep
from core.failpoints import reached
from core.store import Cohort, Experiment, Run, Status, Tag, now, serialise

_ADD_EXPERIMENT = insert(Experiment).values(created_at=now()).returning(Experiment.id, Experiment.created_at)
_ADD_COHORTS = insert(Cohort).returning(Cohort.id, sort_by_parameter_order=True)
"""Made once, and executed past the session, which would take as long again as the database for a post."""
_NOTHING = dict.fromkeys(column.key for column in Experiment.__table__.columns)


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
    data set has changed since the draft. In a study the stored spec has the alpha that it gives to the experiment.
    """
    if idempotency_key is not None:
        serialise(session, idempotency_key)
        known = known_under(session, idempotency_key, draft.fingerprint, project)
        if known is not None:
            return known, Counter()
        forget(session, Experiment, idempotency_key)
    check_priority(draft.priority, limits)
    check_runs(draft.runs, limits)
    keep(session, draft.spec, paths)
    amount = Amount(draft.runs, draft.points, draft.weight_bytes)
    admit(session, owner, limits, draft.runs, bound=take(session, owner, project, amount, limits.quotas))
    experiment = _added(session, draft, owner=owner, project=project, idempotency_key=idempotency_key)
    study = draft.spec.get("study")
    if study is not None:
        experiment.spec = draft.spec | {"alpha": enter(session, experiment.id, project, study, draft.spec["alpha"])}
        session.flush()
    queue(session, experiment, draft, experiment.created_at)
    record_acceptance(session, experiment.id, runs=draft.runs, cohorts=len(draft.cohorts), **asked_by(owner))
    reached("submit.before_commit")
    return experiment, _wake_ups(draft)


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


def _wake_ups(draft: Draft) -> Counter[str]:
    """Return what `core.experiments.requests.control.wake_ups` would find: a post is to be quick."""
    ready = sum(planned.look is None for planned in draft.cohorts)
    return Counter(dict.fromkeys(queues_of(draft.device, draft.spec.get("queue")), ready))


def _added(session: Session, draft: Draft, **posted: Any) -> Experiment:
    """Store the experiment itself, and return it as the session would have read it."""
    values = posted | {
        "name": draft.spec["name"],
        "status": Status.QUEUED,
        "spec": draft.spec,
        "steps_per_epoch": list(draft.steps_per_epoch),
        "task": draft.task,
        "fingerprint": draft.fingerprint,
        "warnings": draft.warnings,
        "points": draft.points,
        "weight_bytes": draft.weight_bytes,
        "next_look": draft.looks[0] if draft.looks else None,
        "progress": _nothing_yet(draft),
        "notes": draft.spec.get("notes", ""),
    }
    connection = session.connection()
    stored = connection.execute(_ADD_EXPERIMENT, values).one()
    experiment = Experiment(**_NOTHING | values | stored._asdict())
    tags = [Tag(experiment_id=stored.id, tag=tag) for tag in dict.fromkeys(draft.spec["tags"])]
    if tags:
        connection.execute(insert(Tag), [{"experiment_id": stored.id, "tag": one.tag} for one in tags])
    for one in (experiment, *tags):
        make_transient_to_detached(one)
        session.add(one)
    set_committed_value(experiment, "tags", tags)
    return experiment


def queue(session: Session, experiment: Experiment, draft: Draft, at: float) -> None:
    """Store the cohorts of a draft, and their runs, as those of an experiment; they wait from then on."""
    connection = session.connection()
    common = {
        "experiment_id": experiment.id,
        "priority": draft.priority,
        "device": draft.device,
        "queue": draft.spec.get("queue"),
        "plugins": needed(draft.spec.get("plugins")),
        "queued_at": at,
    }
    cohorts = connection.execute(
        _ADD_COHORTS,
        [common | {"threads": one.threads, "layout": one.layout, "look": one.look} for one in draft.cohorts],
    ).scalars()
    place = {seed: i for i, seed in enumerate(draft.seeds)}
    kind = {again: i for i, again in enumerate((None, *draft.again))}
    runs = [
        (planned.again, arm, seed, cohort_id)
        for cohort_id, planned in zip(cohorts, draft.cohorts, strict=True)
        for arm, seed in planned.members
    ]
    connection.execute(
        insert(Run),
        [
            {
                "experiment_id": experiment.id,
                "cohort_id": cohort_id,
                "arm_index": arm,
                "arm": draft.labels[arm],
                "seed": seed,
                "repeat": again is not None,
                "varied": again,
                "steps_total": draft.steps[arm],
            }
            for again, arm, seed, cohort_id in sorted(runs, key=lambda run: (kind[run[0]], run[1], place[run[2]]))
        ],
    )
