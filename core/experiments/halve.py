"""What happens to a cohort that needs more memory than there is: two of half its width take its place."""

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.experiments.claim import Claim, Fenced, end, is_held
from core.store import Cohort, Experiment, Run, now


def halve(session: Session, held: Claim, error: str) -> str:
    """Put the cohort back to the queue with half of its runs that have not ended, and the others in a new one.

    Call after `renew` in the same transaction. Both start over, and neither counts as lost. Returns the cohort's new
    status: "failed", with `error` and what to do, where one run alone is too wide; "cancelled" where the user asked for
    that meanwhile. Raises `Fenced`.
    """
    cohort = session.scalar(select(Cohort).where(is_held(held)).with_for_update())
    if cohort is None:
        raise Fenced(f"cohort {held.cohort_id}, attempt {held.attempt}")
    runs = session.execute(
        select(Run.id, Run.seed)
        .where(Run.cohort_id == held.cohort_id, Run.status == "running")
        .order_by(Run.seed, Run.arm_index)
    ).all()
    if cohort.cancel_requested:
        end(session, held, "cancelled")
        return "cancelled"
    if len(runs) < 2:
        advice = "one run alone needs more memory than there is: give it a smaller model or a smaller batch_size"
        end(session, held, "failed", f"{advice} ({error})")
        return "failed"
    # An insert holds its experiment's row as a foreign key: two that halve at once could then not both settle it.
    session.get_one(Experiment, held.experiment_id, with_for_update=True)
    other = _like(cohort)
    session.add(other)
    session.flush()
    moved = [run.id for run in runs[middle([run.seed for run in runs]) :]]
    session.execute(update(Run).where(Run.id.in_(moved)).values(cohort_id=other.id, status="queued"))
    cohort.checkpoint = cohort.checkpoint_sha256 = None
    cohort.checkpoint_step = cohort.checkpoint_epochs = 0
    end(session, held, "queued")
    return "queued"


def middle(seeds: Sequence[int]) -> int:
    """Where to cut a sorted sequence: between two seeds where one part is then at most twice the other."""
    borders = [i for i in range(1, len(seeds)) if seeds[i - 1] != seeds[i] and len(seeds) <= 3 * i <= 2 * len(seeds)]
    return min(borders, key=lambda i: abs(2 * i - len(seeds)), default=len(seeds) // 2)


def _like(cohort: Cohort) -> Cohort:
    """A queued cohort without runs, to be trained as this one was to be."""
    return Cohort(
        experiment_id=cohort.experiment_id,
        priority=cohort.priority,
        device=cohort.device,
        threads=cohort.threads,
        attempt=cohort.attempt,
        lost=cohort.lost,
        queued_at=now(),
    )
