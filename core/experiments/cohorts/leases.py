"""A worker's lease on a cohort, and the fence: its holder writes only while it holds it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from sqlalchemy import ColumnElement, bindparam, select, update
from sqlalchemy.orm import Session

from core.energy import Cost
from core.experiments.cohorts.checkpoints import CheckpointRef
from core.experiments.cohorts.claims import Claim, LastValues, last_values
from core.experiments.cohorts.events import increment, record_event
from core.experiments.cohorts.points import roll_back, store_points
from core.experiments.cohorts.states import TERMINAL, has_active, move_runs, settle, transition
from core.results import Outcome
from core.store import Cohort, Run, Status, announce, now

QUIETLY = {"synchronize_session": False}
"""Options for an UPDATE of rows that the session does not hold."""

StopRequest = Literal["cancel", "pause"]


class Fenced(Exception):
    """The cohort belongs to a later claim, or has ended: this worker writes nothing more."""

    def __init__(self, held: Claim) -> None:
        super().__init__(f"cohort {held.cohort_id}, attempt {held.attempt}")


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The end of one run: its outcome, its updates, and the last value of each metric (None where not finite)."""

    outcome: Outcome
    steps: int
    final: dict[str, float | None]
    correct: bytes | None = None
    """The examples of the judged split that it got right, packed."""
    weights: dict[str, Any] | None = None
    """The files of its weights, by which."""
    classified: bytes | None = None
    """The summary of its classes on that split, packed."""


@dataclass(kw_only=True)
class Flush:
    """The measurements that one transaction of a worker stores. `blocks` are rows of metric_blocks."""

    step: int = 0
    blocks: list[dict[str, Any]] = field(default_factory=list)
    ended: dict[int, Ended] = field(default_factory=dict)
    checkpoint: CheckpointRef | None = None
    """A checkpoint whose points are all stored before, or in, this transaction."""
    cost: Cost | None = None
    """The cost until now of each run that trains, or ends with this transaction."""

    @property
    def is_empty(self) -> bool:
        """True where there is nothing to store."""
        return not (self.blocks or self.ended or self.checkpoint)

    def then(self, later: "Flush") -> "Flush":
        """Return this, which could not be stored, together with what came after it."""
        return Flush(  # the cost is asked for anew
            step=later.step,
            blocks=self.blocks + later.blocks,
            ended=self.ended | later.ended,
            checkpoint=later.checkpoint or self.checkpoint,
        )


def is_held(held: Claim) -> ColumnElement[bool]:
    """Return the fence: the condition that this claim still holds `Cohort`.

    Its experiment is named too: SQLite gives the id of a cohort that was deleted to the next one. And the holder: in
    a database that was restored, attempts that were made since the backup are counted again.
    """
    mine = (Cohort.id == held.cohort_id) & (Cohort.experiment_id == held.experiment_id) & (Cohort.holder == held.holder)
    return mine & (Cohort.attempt == held.attempt) & (Cohort.status == Status.RUNNING)


def poll_requests(session: Session, held: Claim) -> StopRequest | None:
    """Return the user's request, without a write. Raises `Fenced`."""
    row = session.execute(select(Cohort.cancel_requested, Cohort.paused).where(is_held(held))).one_or_none()
    return _request(held, row)


def renew(session: Session, held: Claim, lease_seconds: float) -> StopRequest | None:
    """Extend the lease, and return the user's request. Raises `Fenced`.

    The UPDATE locks the row, so that whatever the transaction writes next cannot race a new claim.
    """
    row = session.execute(
        update(Cohort)
        .where(is_held(held))
        .values(lease_until=now() + lease_seconds)
        .returning(Cohort.cancel_requested, Cohort.paused)
    ).one_or_none()
    return _request(held, row)


def _request(held: Claim, row: Any) -> StopRequest | None:
    if row is None:
        raise Fenced(held)
    return "cancel" if row.cancel_requested else "pause" if row.paused else None


def flush(session: Session, held: Claim, what: Flush, before: CheckpointRef | None = None) -> None:
    """Store measurements; call after `renew` in the same transaction. Storing the same blocks again changes nothing.

    `before` is the checkpoint that counted until `what.checkpoint`.
    """
    running = (Run.cohort_id == held.cohort_id, Run.status == Status.RUNNING)
    blocks = what.blocks
    if what.ended:  # what ended in a commit whose answer was lost may be merged by now, and is stored in any case
        training = set(session.scalars(select(Run.id).where(*running)))
        blocks = [block for block in blocks if block["run_id"] in training]
    store_points(session, blocks, held.attempt)
    if what.checkpoint is not None:
        place = columns(what.checkpoint, before) | {"lost": 0}  # an attempt that makes progress is not lost
        session.execute(update(Cohort).where(is_held(held)).values(**place).execution_options(**QUIETLY))
    values: dict[str, Any] = {"steps_done": what.step}
    if what.cost is not None:
        values |= {"energy_kwh": what.cost.kwh, "co2e_g": what.cost.co2e_g, "energy_source": what.cost.source}
    session.execute(update(Run).where(*running).values(**values).execution_options(**QUIETLY))
    if what.ended:
        end_runs(session, held.cohort_id, what.ended)
    announce(session, held.experiment_id)


def columns(checkpoint: CheckpointRef | None, before: CheckpointRef | None = None) -> dict[str, Any]:
    """Return the columns of a cohort that goes on from a checkpoint."""
    return {
        "checkpoint": checkpoint and checkpoint.name,
        "checkpoint_sha256": checkpoint and checkpoint.sha256,
        "checkpoint_step": checkpoint.step if checkpoint else 0,
        "checkpoint_epochs": checkpoint.epochs if checkpoint else 0,
        "checkpoint_before": before and asdict(before),
    }


def end_runs(session: Session, cohort_id: int, ended: Mapping[int, Ended], *, start: Status = Status.RUNNING) -> None:
    """Give a cohort's runs that are still `start` their outcomes: one statement for all, often a hundred."""
    names = ("outcome", "final", "steps_done", "correct", "classified", "weights")
    given = {name: bindparam(f"new_{name}", type_=getattr(Run, name).type) for name in names}
    end_one = (
        transition(Run, start=start, to=Status.SUCCEEDED)
        .where(Run.id == bindparam("this"), Run.cohort_id == cohort_id)
        .values(finished_at=now(), **given)
    )
    session.connection().execute(
        end_one,
        [
            {
                "this": run,
                "new_outcome": end.outcome,
                "new_final": end.final,
                "new_steps_done": end.steps,
                "new_correct": end.correct,
                "new_weights": end.weights,
                "new_classified": end.classified,
            }
            for run, end in ended.items()
        ],
    )


def locked(session: Session, held: Claim) -> Cohort:
    """Return the cohort, its row locked until the transaction ends. Raises `Fenced`."""
    found = select(Cohort).where(is_held(held)).with_for_update().execution_options(populate_existing=True)
    cohort = session.scalar(found)
    if cohort is None:
        raise Fenced(held)
    return cohort


def end_if_over(session: Session, held: Claim, cohort: Cohort) -> Status | None:
    """End a locked cohort that the user cancelled meanwhile, or that has no run left; returns its status.

    None, and nothing is changed, where it may go on.
    """
    if cohort.cancel_requested:
        return end(session, held, Status.CANCELLED)
    return None if has_active(session, held.cohort_id) else end(session, held, Status.SUCCEEDED)


def fall_back(session: Session, held: Claim, why: str) -> tuple[CheckpointRef | None, LastValues]:
    """Forget a checkpoint that cannot be used, with the points after the one before it. Raises `Fenced`.

    Returns that one, None where there is none and training starts over, and the last values before it.
    """
    cohort = locked(session, held)
    checkpoint = None if cohort.checkpoint_before is None else CheckpointRef(**cohort.checkpoint_before)
    for name, value in columns(checkpoint).items():
        setattr(cohort, name, value)
    session.flush()
    roll_back(session, cohort)
    mine = (Run.cohort_id == cohort.id, Run.status == Status.RUNNING)
    session.execute(update(Run).where(*mine).values(steps_done=cohort.checkpoint_step).execution_options(**QUIETLY))
    place = {"step": cohort.checkpoint_step, "epochs": cohort.checkpoint_epochs}
    record_event(session, held.experiment_id, "fell_back", cohort=cohort.id, attempt=held.attempt, why=why, **place)
    increment(session, "fallbacks")
    return checkpoint, {} if checkpoint is None else last_values(session, cohort)


def end(session: Session, held: Claim, status: Status, *, error: str | None = None, why: str | None = None) -> Status:
    """End the cohort with its runs that have not ended, or give it back (`Status.QUEUED`). Raises `Fenced`.

    `error` is why runs failed, `why` the reason that the history has. Returns the status: what the user cancelled
    meanwhile is not given back, it could wait for ever to be taken once more.
    """
    cohort = locked(session, held)
    step = cohort.checkpoint_step
    if status == Status.QUEUED and cohort.cancel_requested:
        status = Status.CANCELLED
    values: dict[str, Any] = {"error": error, "lease_until": None}
    if status not in TERMINAL:
        values |= {"queued_at": now(), "holder": None}
    session.execute(transition(Cohort, start=Status.RUNNING, to=status).where(is_held(held)).values(**values))
    move_runs(session, held.cohort_id, start=Status.RUNNING, to=status, error=error)
    settle(session, held.experiment_id)
    about = {"cohort": held.cohort_id, "attempt": held.attempt}
    if status == Status.QUEUED:
        record_event(session, held.experiment_id, "released", **about, why=why, step=step)
        increment(session, "releases")
    else:
        record_event(session, held.experiment_id, "ended", **about, status=status, why=error or why)
    return status
