"""Events of experiments, and counters of what is rare: written in the transaction of what they are about."""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.experiments.cohorts.outbox import OF_HISTORY, enqueue
from core.store import Counter, Event, Experiment, announce, now

Kind = Literal[
    "accepted",  # with its cohorts and runs
    "claimed",  # by a worker, from an update on
    "unreadable",  # by a worker or a sweep whose code lacks something: others are waited for
    "fell_back",  # a checkpoint could not be used
    "released",  # by a worker that leaves, or for a pause: nothing is lost
    "lost",  # an attempt whose process was killed, or fell silent
    "halved",  # split: it needed more memory than there is, or was lost again and again
    "waiting",  # a cohort has come to a rung, and is given back until the others have
    "rung",  # the arms were compared there, and some pruned
    "look",  # the arms were compared after so many seeds: it is decided, or more are trained
    "ended",  # a cohort, in a terminal state
    "cancelling",  # the user asked
    "paused",
    "resumed",
    "retried",
    "edited",  # its name, tags or notes, which it has
    "started",  # a run that is trained elsewhere: it was heard of for the first time
    "silent",  # nothing was heard of such a run for too long: it counts as lost
    "revived",  # such a run that had counted as lost was heard of again
    "declared",  # arms, seeds or metrics of an experiment that is trained elsewhere: so many are there now
    "late",  # points of such a run came after its end, of a metric that was declared after it
    "dropped",  # a run of an open experiment: it was deleted where it was logged, or another took its place
    "restarted",  # such a run waits for numbers again, from its first point on: those that it had are gone
]

Count = Literal[
    "rescues", "fenced_writes", "retries", "resumed_attempts", "flush_retries", "releases", "fallbacks", "halvings",
    "hangs", "checkpoint_failures",
]  # fmt: skip
COUNTS: dict[Count, str] = {
    "rescues": "attempts whose worker was lost, ended by a sweep",
    "fenced_writes": "writes refused because another had the cohort",
    "retries": "cohorts queued again by a user",
    "resumed_attempts": "claims that went on from a checkpoint",
    "flush_retries": "transactions of a worker that had to be tried again",
    "releases": "cohorts given back by a worker that left or was to pause",
    "fallbacks": "checkpoints that could not be used",
    "halvings": "cohorts cut in two",
    "hangs": "trainings that came no further and whose process ended itself",
    "checkpoint_failures": "checkpoints that could not be written",
}


_ADD = insert(Event).values(at=now())
"""Made once: a post is to be quick."""


def record_event(
    session: Session,
    experiment_id: int,
    kind: Kind,
    *,
    cohort: int | None = None,
    attempt: int | None = None,
    **detail: Any,
) -> None:
    """Add an event to an experiment.

    The experiment's row is locked until the transaction ends: who has read up to an id has missed no smaller one.
    """
    session.execute(select(Experiment.id).where(Experiment.id == experiment_id).with_for_update(key_share=True))
    _write(session, experiment_id, kind, detail, cohort, attempt)
    announce(session, experiment_id)


def record_acceptance(session: Session, experiment_id: int, **detail: Any) -> None:
    """Add the first event to an experiment that this very transaction has made: nobody sees it yet, or watches it."""
    _write(session, experiment_id, "accepted", detail)


def _write(
    session: Session,
    experiment_id: int,
    kind: Kind,
    detail: dict[str, Any],
    cohort: int | None = None,
    attempt: int | None = None,
) -> None:
    values = {"experiment_id": experiment_id, "cohort_id": cohort, "attempt": attempt, "kind": kind, "detail": detail}
    session.connection().execute(_ADD, values)
    if kind in OF_HISTORY:
        enqueue(session, experiment_id, OF_HISTORY[kind], **detail)


def asked_by(who: str | None) -> dict[str, Any]:
    """Return the detail of an event that names the API key which asked for it; none where no key was needed."""
    return {} if who is None else {"by": who}


def events(session: Session, experiment_id: int, after: int = 0, limit: int = 1000) -> Sequence[Event]:
    """Return an experiment's events, the oldest first; `after` is an event's id."""
    mine = (Event.experiment_id == experiment_id, Event.id > after)
    return session.scalars(select(Event).where(*mine).order_by(Event.id).limit(limit)).all()


def increment(session: Session, what: Count, times: int = 1) -> None:
    """Add to a counter, where there is something to add. Only for what is rare: its row is locked until the commit."""
    if not times:
        return
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    new = dialect.insert(Counter).values(name=what, value=times)
    session.execute(
        new.on_conflict_do_update(index_elements=["name"], set_={"value": Counter.value + new.excluded.value})
    )


def counts(session: Session) -> dict[str, int]:
    """Return every counter; those of what has never happened are 0."""
    found = {row.name: row.value for row in session.scalars(select(Counter))}
    return {name: found.get(name, 0) for name in COUNTS}
