"""What happens to a cohort that needs more memory than there is: two of half its width take its place."""

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.experiments.claim import Claim, Fenced, end, is_held
from core.store import Cohort, Experiment, Run, now


def halve(session: Session, held: Claim, error: str) -> str:
    """Put the cohort back to the queue with half of its runs that have not ended, and the others in a new one.

    Runs that have ended leave it too: they would be trained again for company. Call after `renew` in the same
    transaction. Both halves start over, and neither counts as lost. Returns the cohort's new status: "failed", with
    `error` and what to do, where one run alone is too wide; "cancelled" where the user asked for that meanwhile. Raises
    `Fenced`.
    """
    cohort = session.scalar(select(Cohort).where(is_held(held)).with_for_update())
    if cohort is None:
        raise Fenced(f"cohort {held.cohort_id}, attempt {held.attempt}")
    every = session.execute(
        select(Run.id, Run.seed, Run.status).where(Run.cohort_id == held.cohort_id).order_by(Run.seed, Run.arm_index)
    ).all()
    runs = [run for run in every if run.status == "running"]
    if cohort.cancel_requested:
        end(session, held, "cancelled")
        return "cancelled"
    if len(every) < 2:
        advice = "one run alone needs more memory than there is: give it a smaller model or a smaller batch_size"
        end(session, held, "failed", f"{advice} ({error})")
        return "failed"
    # An insert holds its experiment's row as a foreign key: two that halve at once could then not both settle it.
    session.get_one(Experiment, held.experiment_id, with_for_update=True)
    if len(runs) < len(every):
        _move(session, [run.id for run in every if run not in runs], _like(cohort, "succeeded"))
    if len(runs) > 1:
        second = runs[middle([run.seed for run in runs]) :]
        _move(session, [run.id for run in second], _like(cohort, "queued"), status="queued")
    cohort.checkpoint = cohort.checkpoint_sha256 = None
    cohort.checkpoint_step = cohort.checkpoint_epochs = 0
    end(session, held, "queued")
    return "queued"


def middle(seeds: Sequence[int]) -> int:
    """Where to cut a sorted sequence: between two seeds where one part is then at most twice the other."""
    borders = [i for i in range(1, len(seeds)) if seeds[i - 1] != seeds[i] and len(seeds) <= 3 * i <= 2 * len(seeds)]
    return min(borders, key=lambda i: abs(2 * i - len(seeds)), default=len(seeds) // 2)


def _move(session: Session, runs: Sequence[int], into: Cohort, **values: str) -> None:
    session.add(into)
    session.flush()
    session.execute(update(Run).where(Run.id.in_(runs)).values(cohort_id=into.id, **values))


def _like(cohort: Cohort, status: str) -> Cohort:
    """A cohort without runs, to be trained, or as if it had been, as this one was to be."""
    return Cohort(
        experiment_id=cohort.experiment_id,
        status=status,
        priority=cohort.priority,
        device=cohort.device,
        threads=cohort.threads,
        attempt=cohort.attempt,
        lost=cohort.lost,
        queued_at=now(),
    )
