"""Splits a cohort that needs more memory than there is: two of half its width take its place."""

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.experiments.cohorts.claims import Claim
from core.experiments.cohorts.events import increment, record_event
from core.experiments.cohorts.leases import end, end_if_over, locked
from core.experiments.cohorts.states import OF_STATUS, transition
from core.store import Cohort, Experiment, Run, Status, now


def split_cohort(session: Session, held: Claim, error: str) -> Status:
    """Put the cohort back to the queue with half of its runs that have not ended, and the others in a new one.

    Call after `renew` in the same transaction. Neither half counts as lost. Returns the cohort's new status: "failed",
    with `error` and what to do, where one run alone is too wide; "cancelled" where the user asked for that meanwhile.
    Raises `Fenced`.
    """
    cohort = locked(session, held)
    if (over := end_if_over(session, held, cohort)) is not None:
        return over
    into = split(session, cohort)
    if not into:
        ways = "a smaller model, a micro_batch_size or a smaller batch_size"
        advice = f"one run alone needs more memory than there is: give it {ways}"
        return end(session, held, Status.FAILED, error=f"{advice} ({error})")
    record_event(
        session, held.experiment_id, "halved", cohort=held.cohort_id, attempt=held.attempt, why=error, into=into
    )
    increment(session, "halvings")
    return end(session, held, Status.QUEUED, why="halved")


def split(session: Session, cohort: Cohort) -> dict[Status, int]:
    """Leave the cohort with half of its runs that have not ended, and queue the others in a new one.

    Runs that have ended leave it too: they would be trained again for company. Both start over, with one lost attempt
    counted if there were any. Returns the new cohorts by their status; none, and nothing is changed, for a cohort
    of one run. The caller knows that one has not ended, holds the cohort's row and gives it its new status.
    """
    every = session.execute(
        select(Run.id, Run.seed, Run.status).where(Run.cohort_id == cohort.id).order_by(Run.seed, Run.arm_index)
    ).all()
    if len(every) < 2:
        return {}
    runs = [run for run in every if run.status == Status.RUNNING]
    cohort.lost = min(cohort.lost, 1)
    # Two that split at once would each wait for the other to let go of their experiment's row: one after the other.
    session.get_one(Experiment, cohort.experiment_id, with_for_update=OF_STATUS)
    into: dict[Status, int] = {}
    if len(runs) < len(every):
        ended = [run.id for run in every if run not in runs]
        into[Status.SUCCEEDED] = successor = _add(session, _like(cohort, Status.SUCCEEDED))
        session.execute(update(Run).where(Run.id.in_(ended)).values(cohort_id=successor))
    if len(runs) > 1:
        second = [run.id for run in runs[middle([run.seed for run in runs]) :]]
        into[Status.QUEUED] = successor = _add(session, _like(cohort, Status.QUEUED))
        requeued = transition(Run, start=Status.RUNNING, to=Status.QUEUED)
        session.execute(requeued.where(Run.id.in_(second)).values(cohort_id=successor))
    cohort.checkpoint = cohort.checkpoint_sha256 = cohort.checkpoint_before = None
    cohort.checkpoint_step = cohort.checkpoint_epochs = 0
    session.flush()
    return into


def middle(seeds: Sequence[int]) -> int:
    """Return where to cut a sorted sequence: between two seeds, if one part is then at most twice the other."""
    borders = [i for i in range(1, len(seeds)) if seeds[i - 1] != seeds[i] and len(seeds) <= 3 * i <= 2 * len(seeds)]
    return min(borders, key=lambda i: abs(2 * i - len(seeds)), default=len(seeds) // 2)


def _add(session: Session, cohort: Cohort) -> int:
    session.add(cohort)
    session.flush()
    return cohort.id


def _like(cohort: Cohort, status: Status) -> Cohort:
    """Return a cohort without runs, to be trained, or as if it had been, as this one was to be."""
    return Cohort(
        experiment_id=cohort.experiment_id,
        status=status,
        priority=cohort.priority,
        device=cohort.device,
        queue=cohort.queue,
        threads=cohort.threads,
        layout=cohort.layout,
        plugins=cohort.plugins,
        paused=cohort.paused,
        attempt=cohort.attempt,
        lost=cohort.lost,
        queued_at=now(),
    )
