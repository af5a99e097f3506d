"""Growth of external experiments: more arms, seeds and metrics are declared, of an open one as runs of them come."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from core import external
from core.errors import Conflict, Problem, warned
from core.experiments.cohorts.designs import is_external
from core.experiments.cohorts.eligibility import EXTERNAL
from core.experiments.cohorts.events import asked_by, record_event
from core.experiments.cohorts.external import count, expect_late, reserved, total
from core.experiments.cohorts.states import OF_STATUS, lock_cohorts, settle
from core.experiments.projects import Amount, Quotas, give_back, take
from core.experiments.requests.draft import draft_external, fingerprint_of
from core.experiments.requests.quotas import Limits, admit, check_runs
from core.experiments.requests.submit import queue
from core.external import Growth
from core.store import Cohort, Experiment, MlflowExperiment, Run, Status, announce, now

QUIETLY = {"synchronize_session": False}
PEEKED = "were declared before results could be seen: who adds seeds until a difference shows finds one too often"


def grow(
    session: Session,
    experiment: Experiment,
    growth: Growth,
    limits: Limits = Limits(),  # noqa: B008 a value
    by: str | None = None,
) -> None:
    """Declare more arms, seeds and metrics of an external experiment; what it has already changes nothing.

    Every new arm gets a run of each seed, and every new seed one of each arm; where all had ended, the experiment is
    running again. Runs that have ended take the points of new metrics, and stay ended. `limits` are those of the
    experiment's owner, and `by` is the id of the API key that asks.

    Raises `Conflict` for one that is trained here, was cancelled, or is fed by MLflow's clients; for another
    declaration of what is there; for new arms and seeds where seeds are adaptive, or where its study gave it a level
    and runs have begun. `InvalidSpec` above the limits of an experiment; `QuotaExceeded`, and as `admit` does.
    """
    if not is_external(experiment):
        text = "is trained by this service, as its spec says. Post another with more arms, seeds or metrics"
        raise Conflict(f"experiment {experiment.id} {text}")
    lock_cohorts(session, experiment.id)
    session.get_one(Experiment, experiment.id, with_for_update=OF_STATUS, populate_existing=True)
    before = external.parse(experiment.spec)
    spec = external.grown(before, growth)
    if spec == before:
        return
    _must_be_free(session, experiment)
    drafted = draft_external(spec, fingerprint_of(spec))
    old = set(before.seed_list)
    new = [one for one in drafted.cohorts if not _is_there(*one.members[0], len(before.arms), old)]
    if new:
        begun = _has_begun(session, experiment)
        if begun and spec.study is not None:
            text = f"was given its level by the study {spec.study!r} for the arms and seeds that it began with"
            raise Conflict(f"experiment {experiment.id} {text}. Post another one into the study")
        check_runs(len(new), limits)
        bound = take(session, experiment.owner, experiment.project, Amount(len(new), 0), limits.quotas)
        admit(session, experiment.owner, limits, len(new), bound)
        if begun and len(spec.seed_list) > len(old):
            _warn_of_peeking(experiment, len(old))
    experiment.spec, experiment.steps_per_epoch = drafted.spec, list(drafted.steps_per_epoch)
    session.flush()
    added = [metric.name for metric in spec.metrics[len(before.metrics) :]]
    if added:
        expect_late(session, experiment.id, added)
    if new:
        queue(session, experiment, replace(drafted, cohorts=new), session.scalar(select(now())) or 0.0)
        settle(session, experiment.id)
    sizes = {"arms": len(spec.arms), "seeds": len(spec.seed_list), "metrics": len(spec.metrics), "runs": len(new)}
    record_event(session, experiment.id, "declared", **sizes, **asked_by(by))
    session.refresh(experiment)


def _is_there(arm: int, seed: int, arms: int, seeds: set[int]) -> bool:
    return arm < arms and seed in seeds


def _must_be_free(session: Session, experiment: Experiment) -> None:
    """Raise `Conflict` for an experiment that nobody may declare more of."""
    if experiment.status == Status.CANCELLED:
        raise Conflict(f"experiment {experiment.id} was cancelled, which it stays: post another one")
    fed = select(MlflowExperiment.id).where(MlflowExperiment.experiment_id == experiment.id)
    if experiment.spec.get("open") and session.scalar(fed) is not None:
        text = "is fed by MLflow's clients, and has the arms, seeds and metrics that they log"
        raise Conflict(f"experiment {experiment.id} {text}: log there")


def _has_begun(session: Session, experiment: Experiment) -> bool:
    """Return whether there may be results that somebody has seen."""
    begun = (Run.experiment_id == experiment.id, Run.status != Status.QUEUED)
    return session.scalar(select(Run.id).where(*begun).limit(1)) is not None


def _warn_of_peeking(experiment: Experiment, seeds: int) -> None:
    warnings = list(experiment.warnings or ())
    if not any(PEEKED in one["message"] for one in warnings):
        experiment.warnings = [*warnings, *warned([Problem("seeds", f"only the first {seeds} {PEEKED}")])]


def lock(session: Session, experiment_id: int) -> Experiment | None:
    """Return an open external experiment, locked until the transaction ends; None where it is none, or has ended."""
    one = session.get(Experiment, experiment_id, with_for_update=OF_STATUS, populate_existing=True)
    gone = one is None or one.deleted_at is not None or not one.spec.get("open")
    return None if gone else one


def declare(session: Session, one: Experiment, change: Callable[[dict[str, Any]], None]) -> None:
    """Have `change` change the spec of a locked experiment. Raises `InvalidSpec` where that is no experiment then."""
    raw: dict[str, Any] = {name: list(v) if isinstance(v, list) else v for name, v in one.spec.items()}
    change(raw)
    spec = external.parse(raw).canonical()
    if spec != one.spec:
        one.spec = spec
        one.steps_per_epoch = [arm.get("steps_per_epoch") or spec.get("steps_per_epoch") or 1 for arm in spec["arms"]]
        session.flush()
        record_event(session, one.id, "declared", arms=len(spec["arms"]), metrics=len(spec["metrics"]))
        announce(session, one.id)


def find(session: Session, one: Experiment, label: str, seed: int) -> Run | None:
    """Return the run of an arm and a seed, if there is one."""
    there = (Run.experiment_id == one.id, Run.arm == label, Run.seed == seed)
    return session.scalar(select(Run).where(*there))


def add_run(session: Session, one: Experiment, arm: Mapping[str, Any], seed: int, quotas: Quotas) -> Run:
    """Add a run to a locked experiment, with its arm and its seed where they are new. Raises `QuotaExceeded`.

    Raises `InvalidSpec` above the limits of an experiment, and `Conflict` where the run is there.
    """
    if find(session, one, arm["label"], seed) is not None:
        raise Conflict(f"experiment {one.id} has a run of arm {arm['label']!r} and seed {seed} already")

    def change(spec: dict[str, Any]) -> None:
        if arm["label"] not in (known["label"] for known in spec["arms"]):
            spec["arms"].append(dict(arm))
        if seed not in spec["seeds"]:
            spec["seeds"].append(seed)

    declare(session, one, change)
    take(session, one.owner, one.project, Amount(1, 0), quotas)
    place = [known["label"] for known in one.spec["arms"]].index(arm["label"])
    queued_at = session.scalar(select(now()))
    cohort = Cohort(experiment_id=one.id, priority=0, device=EXTERNAL, layout="loop", queued_at=queued_at)
    session.add(cohort)
    session.flush()
    where = {"experiment_id": one.id, "cohort_id": cohort.id, "arm_index": place, "arm": arm["label"], "seed": seed}
    run_id = session.scalar(insert(Run).values(**where, repeat=False, steps_total=0).returning(Run.id))
    session.execute(update(Experiment).where(Experiment.id == one.id).values(progress=None))
    settle(session, one.id)
    return session.get_one(Run, run_id)


def drop_run(session: Session, one: Experiment, run: Run) -> None:
    """Remove a run of a locked experiment with all that was measured of it; its arm and its seed stay declared."""
    points = total(session.scalar(select(Run.received).where(Run.id == run.id)))
    count(session, one.id, points if run.status == Status.SUCCEEDED else reserved(points), 0, Quotas())
    give_back(session, one.owner, one.project, Amount(1, 0))
    session.expunge(run)
    session.execute(delete(Cohort).where(Cohort.id == run.cohort_id).execution_options(**QUIETLY))
    record_event(session, one.id, "dropped", run=run.id, arm=run.arm, seed=run.seed)
    settle(session, one.id)
    announce(session, one.id)


def is_lost(run: Run) -> bool:
    """Return whether a run came to nothing, so that another of its arm and seed may take its place."""
    return run.status in (Status.FAILED, Status.CANCELLED)
