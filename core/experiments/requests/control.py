"""Requests about an experiment that is there: cancel it, pause and resume it, retry what failed, delete it."""

from collections import Counter

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.errors import Conflict
from core.experiments.cohorts.designs import is_external
from core.experiments.cohorts.eligibility import may_be_taken, queues_of
from core.experiments.cohorts.events import asked_by, increment, record_event
from core.experiments.cohorts.external import cancel_running, restart
from core.experiments.cohorts.removal import remove
from core.experiments.cohorts.states import TERMINAL, lock_cohorts, move_runs, settle, transition
from core.experiments.projects import note_unfinished
from core.experiments.requests.quotas import Limits, admit, check_runs
from core.store import Cohort, Experiment, Run, Status, now


def cancel(session: Session, experiment: Experiment, by: str | None = None) -> None:
    """Stop an experiment and keep what was measured. Cancelling again, or one that has ended, changes nothing.

    `by` is the id of the API key that asks, for the history; as for the others here.

    Queued cohorts end at once. A running one is asked to; its worker ends it, or the sweeper where the worker is dead.
    One that is trained elsewhere ends at once too, and who trains it is told.
    """
    lock_cohorts(session, experiment.id)
    if experiment.status in TERMINAL:  # one that failed may have cohorts that a look holds: a retry finds them
        return
    mine = Cohort.experiment_id == experiment.id
    was_open = close(session, experiment)
    elsewhere = cancel_running(session, experiment.id)
    running = session.scalars(
        update(Cohort)
        .where(mine, Cohort.status == Status.RUNNING, ~Cohort.cancel_requested)
        .values(cancel_requested=True)
        .returning(Cohort.id)
    ).all()
    queued = session.scalars(
        transition(Cohort, start=Status.QUEUED, to=Status.CANCELLED).where(mine).returning(Cohort.id)
    ).all()
    for cohort_id in queued:
        move_runs(session, cohort_id, start=Status.QUEUED, to=Status.CANCELLED)
    if running or queued or elsewhere:
        session.execute(update(Experiment).where(Experiment.id == experiment.id).values(next_look=None))
    if queued or elsewhere or was_open:
        settle(session, experiment.id)
    if running or queued or elsewhere or was_open:
        record_event(
            session,
            experiment.id,
            "cancelling",
            running=len(running) + len(elsewhere),
            queued=len(queued),
            **asked_by(by),
        )
    session.refresh(experiment)


def close(session: Session, experiment: Experiment) -> bool:
    """Have an open experiment end with its runs, and return whether it was open; its caller settles it."""
    if not experiment.spec.get("open"):
        return False
    experiment.spec = experiment.spec | {"open": False}
    session.flush()
    return True


def pause(session: Session, experiment: Experiment, by: str | None = None) -> None:
    """Have an experiment wait: its running cohorts are given back where they are, and none is taken until `resume`.

    Pausing again changes nothing; raises `Conflict` for an experiment that has ended, or is trained elsewhere.
    """
    if is_external(experiment):
        raise Conflict(f"experiment {experiment.id} is trained elsewhere, and can only be paused there")
    lock_cohorts(session, experiment.id)
    if experiment.status in TERMINAL:
        raise Conflict(f"experiment {experiment.id} is {experiment.status}: there is nothing to pause")
    if _set_paused(session, experiment, paused=True):
        record_event(session, experiment.id, "paused", **asked_by(by))


def resume(session: Session, experiment: Experiment, by: str | None = None) -> Counter[str]:
    """Go on with a paused experiment, and return the wake-up tasks to send, by queue; none where it is not paused."""
    lock_cohorts(session, experiment.id)
    if not _set_paused(session, experiment, paused=False):
        return Counter()
    record_event(session, experiment.id, "resumed", **asked_by(by))
    return wake_ups(session, experiment.id)


def retry(
    session: Session,
    experiment: Experiment,
    limits: Limits = Limits(),  # noqa: B008 a value
    by: str | None = None,
) -> Counter[str]:
    """Queue what failed again, and only that: from its checkpoint where there is one. Returns the wake-up
    tasks to send, by queue. What is trained elsewhere waits for its first point again.

    Raises `Conflict` where nothing failed, and as `admit` does where its owner, with `limits`, has too much to train.
    """
    lock_cohorts(session, experiment.id)
    failed_runs = (Run.experiment_id == experiment.id, Run.status == Status.FAILED)
    runs = session.scalars(select(Run.id).where(*failed_runs)).all()
    if not runs:
        raise Conflict(f"experiment {experiment.id} is {experiment.status}, and none of its runs has failed")
    held = (Run.experiment_id == experiment.id, Run.status == Status.QUEUED)
    again = session.scalars(select(func.count()).where(*held)).one() if experiment.status in TERMINAL else 0
    check_runs(len(runs) + again, limits)
    note_unfinished(session, experiment.owner, None)
    admit(session, experiment.owner, limits, len(runs) + again, bound=None)
    failed = session.scalars(
        transition(Cohort, start=Status.FAILED, to=Status.QUEUED)
        .where(Cohort.experiment_id == experiment.id)
        .values(lost=0, error=None, cancel_requested=False, holder=None, queued_at=now())
        .returning(Cohort.id)
    ).all()
    queued = transition(Run, start=Status.FAILED, to=Status.QUEUED).where(Run.experiment_id == experiment.id)
    session.execute(queued.values(error=None, finished_at=None))
    if is_external(experiment):
        restart(session, experiment.id, failed)
    settle(session, experiment.id)
    record_event(session, experiment.id, "retried", cohorts=len(failed), runs=len(runs), **asked_by(by))
    increment(session, "retries", len(failed))
    session.refresh(experiment)
    return wake_ups(session, experiment.id)


def delete(session: Session, experiment: Experiment) -> None:
    """Remove a finished experiment with all its measurements; raises `Conflict` while it is queued or running."""
    lock_cohorts(session, experiment.id)
    if experiment.status not in TERMINAL:
        raise Conflict(f"experiment {experiment.id} is {experiment.status}: cancel it first")
    remove(session, experiment.id)


def wake_ups(session: Session, experiment_id: int) -> Counter[str]:
    """Return the number of wake-up tasks to send for an experiment's cohorts that may be taken, by queue."""
    rows = session.execute(
        select(Cohort.device, Cohort.queue, func.count())
        .where(Cohort.experiment_id == experiment_id, may_be_taken())
        .group_by(Cohort.device, Cohort.queue)
    )
    wake_ups: Counter[str] = Counter()
    for device, queue, times in rows:
        wake_ups.update(dict.fromkeys(queues_of(device, queue), times))
    return wake_ups


def _set_paused(session: Session, experiment: Experiment, *, paused: bool) -> bool:
    """Pause all cohorts of an experiment, a retried one too, or none; returns whether that changed anything."""
    changed = session.scalars(
        update(Cohort)
        .where(Cohort.experiment_id == experiment.id, Cohort.paused != paused)
        .values(paused=paused)
        .returning(Cohort.id)
    ).all()
    return bool(changed)
