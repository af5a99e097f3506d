"""What a user may do to an experiment that is there, also while workers and other users are at it."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, text

from core.errors import Conflict, NotFound
from core.experiments.cohorts.checkpoints import CheckpointRef
from core.experiments.cohorts.claims import Claim
from core.experiments.cohorts.events import counts, events
from core.experiments.cohorts.leases import Ended, Fenced, Flush, end, flush, poll_requests, renew
from core.experiments.cohorts.splitting import split_cohort
from core.experiments.queries import read
from core.experiments.queries.progress import progress_of
from core.experiments.requests import cancel, delete, pause, resume, retry
from core.store import Cohort, Database, Experiment, Run, Status
from tests.core.experiments.claims import block, blocks, queued, statuses, take, taken

StopRequest = Callable[..., Any]


def ask(database: Database, experiment: int, wish: StopRequest) -> Any:
    with database.transaction() as session:
        return wish(session, read.experiment(session, experiment))


def status(database: Database, experiment: int) -> str:
    with database.reading() as session:
        return session.get_one(Experiment, experiment).status


def cohorts(database: Database) -> list[Cohort]:
    with database.reading() as session:
        return list(session.scalars(select(Cohort).order_by(Cohort.id)))


def kinds(database: Database, experiment: int) -> list[str]:
    with database.reading() as session:
        return [event.kind for event in events(session, experiment)]


def fail(database: Database, held: Claim, what: Flush | None = None) -> None:
    with database.transaction() as session:
        renew(session, held, 30)
        flush(session, held, what or Flush())
        end(session, held, Status.FAILED, error="why")


def test_a_paused_experiment_is_told_to_its_workers_and_taken_by_none(database: Database) -> None:
    experiment = queued(database, cohorts=2)
    held = taken(database)
    for _ in range(2):
        ask(database, experiment, pause)
    with database.reading() as session:
        assert poll_requests(session, held) == "pause"
        assert progress_of(session, read.experiment(session, experiment)).paused
    with database.transaction() as session:
        assert renew(session, held, 30) == "pause"
        end(session, held, Status.QUEUED, why="paused")
    assert statuses(database, experiment) == {"queued"}
    assert take(database) is None
    assert ask(database, experiment, resume) == {"cpu": 2, "gpu": 2}
    assert ask(database, experiment, resume) == {}
    assert [taken(database).attempt for _ in range(2)] == [2, 1]
    assert kinds(database, experiment)[1:5] == ["claimed", "paused", "released", "resumed"]


def test_a_cancellation_outweighs_a_pause(database: Database) -> None:
    experiment = queued(database)
    held = taken(database)
    ask(database, experiment, pause)
    ask(database, experiment, cancel)
    with database.reading() as session:
        assert poll_requests(session, held) == "cancel"


def test_what_is_given_back_while_a_cancellation_comes_is_cancelled(database: Database) -> None:
    """It would be queued, and as it is paused no worker would ever take it and hear of the cancellation."""
    experiment = queued(database)
    held = taken(database)
    ask(database, experiment, pause)
    ask(database, experiment, cancel)
    with database.transaction() as session:
        assert end(session, held, Status.QUEUED, why="paused") == "cancelled"
    assert (statuses(database, experiment), status(database, experiment)) == ({"cancelled"}, "cancelled")


def test_what_has_ended_cannot_be_paused(database: Database) -> None:
    experiment = queued(database)
    ask(database, experiment, cancel)
    with pytest.raises(Conflict) as refused:
        ask(database, experiment, pause)
    assert refused.value.detail == f"experiment {experiment} is cancelled: there is nothing to pause"
    assert ask(database, experiment, resume) == {}


def test_a_retry_goes_on_where_there_is_a_checkpoint_and_keeps_what_has_ended(database: Database) -> None:
    experiment = queued(database, seeds=3)
    held = taken(database)
    done, *others = (lane.run for lane in held.lanes)
    kept = CheckpointRef(name="cohort-1-1-3.safetensors", sha256="0" * 64, step=3, epochs=0)
    with database.transaction() as session:
        renew(session, held, 30)
        ended = {done: Ended(outcome="diverged", steps=2, final={"train_loss": None})}
        flush(
            session,
            held,
            Flush(step=3, blocks=[block(done, n=2), *(block(run) for run in others)], ended=ended, checkpoint=kept),
        )
    fail(database, held, Flush(step=5, blocks=[block(run, first=3, n=2) for run in others]))
    assert status(database, experiment) == "failed"
    assert take(database) is None

    assert ask(database, experiment, retry) == {"cpu": 1, "gpu": 1}
    with database.reading() as session:
        assert (one := session.get_one(Experiment, experiment)).finished_at is None
        assert one.status == "queued"
        runs = [(run.status, run.outcome, run.error) for run in read.runs(session, experiment)]
        assert runs == [("succeeded", "diverged", None), *[("queued", None, None)] * 2]
        assert all(run.finished_at is None for run in read.runs(session, experiment) if run.id != done)
        assert counts(session)["retries"] == 1
        assert (events(session, experiment)[-1].kind, events(session, experiment)[-1].detail) == (
            "retried",
            {"cohorts": 1, "runs": 2},
        )
    again = taken(database)
    assert (again.attempt, again.resume_from, again.ended) == (2, kept, {done})
    assert blocks(database) == [(0, 2, 1), (0, 3, 1), (0, 3, 1)]  # what lay after the checkpoint is gone


def test_a_retry_takes_only_what_failed_and_forgets_its_losses(database: Database) -> None:
    experiment = queued(database, cohorts=3, seeds=1)
    first, second, third = (taken(database) for _ in range(3))
    with database.transaction() as session:
        session.get_one(Cohort, first.cohort_id).lost = 2
    fail(database, first)
    for held, ending in ((second, "succeeded"), (third, "cancelled")):
        with database.transaction() as session:
            end(session, held, Status(ending))
    assert status(database, experiment) == "failed"
    ask(database, experiment, retry)
    found = [(cohort.status, cohort.lost, cohort.error) for cohort in cohorts(database)]
    assert found == [("queued", 0, None), ("succeeded", 0, None), ("cancelled", 0, None)]
    assert status(database, experiment) == "running"  # some of it is done
    again = taken(database)
    with database.transaction() as session:
        end(session, again, Status.SUCCEEDED)
    assert status(database, experiment) == "cancelled"


def test_a_retry_of_a_paused_experiment_waits_with_it(database: Database) -> None:
    experiment = queued(database)
    held = taken(database)
    ask(database, experiment, pause)
    fail(database, held)
    assert ask(database, experiment, retry) == {}  # nobody is to be woken
    assert take(database) is None
    assert sum(ask(database, experiment, resume).values()) == 2
    assert taken(database).attempt == 2


def test_a_pause_can_end_after_its_experiment(database: Database) -> None:
    """Or its history would say for ever that it waits, though what is tried again is taken."""
    experiment = queued(database)
    held = taken(database)
    ask(database, experiment, pause)
    fail(database, held)
    assert ask(database, experiment, resume) == {}  # there is nothing to take
    assert kinds(database, experiment)[-1] == "resumed"
    assert ask(database, experiment, retry) == {"cpu": 1, "gpu": 1}
    assert taken(database).attempt == 2


def test_where_nothing_failed_there_is_nothing_to_retry(database: Database) -> None:
    experiment = queued(database)
    with pytest.raises(Conflict) as refused:
        ask(database, experiment, retry)
    assert refused.value.detail == f"experiment {experiment} is queued, and none of its runs has failed"
    assert kinds(database, experiment) == ["accepted"]


def _waits(database: Database, thread: threading.Thread) -> None:
    """Until it waits for a lock that another transaction has."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    while thread.is_alive():
        with database.reading() as looking:
            if looking.scalar(waiting):
                return


@pytest.mark.parametrize("wish", [cancel, pause])
def test_a_wish_that_meets_a_halving_reaches_both_halves(postgres: Database, wish: StopRequest) -> None:
    """The new half is there only when the halving is committed, and the wish has begun before."""
    experiment = queued(postgres, seeds=4)
    held = taken(postgres)
    thread = threading.Thread(target=ask, args=(postgres, experiment, wish))
    with postgres.transaction() as session:
        renew(session, held, 30)
        split_cohort(session, held, "no memory")
        thread.start()
        _waits(postgres, thread)
    thread.join()
    assert len(cohorts(postgres)) == 2
    assert take(postgres) is None
    assert {cohort.paused for cohort in cohorts(postgres)} == {wish is pause}


def test_a_cohort_taken_in_the_middle_of_a_cancellation_is_cancelled(postgres: Database) -> None:
    """It is no longer queued for the one statement and was not yet running for the other."""
    experiment = queued(postgres, cohorts=2)
    first = taken(postgres)
    thread = threading.Thread(target=ask, args=(postgres, experiment, cancel))
    with postgres.transaction() as session:
        renew(session, first, 30)  # the cancellation stops here
        thread.start()
        _waits(postgres, thread)
        second = take(postgres, "host/2/0")
    thread.join()
    assert second is not None
    with postgres.reading() as session:
        assert [poll_requests(session, held) for held in (first, second)] == ["cancel", "cancel"]


def test_a_retry_and_a_deletion_at_once_do_not_wait_for_each_other(postgres: Database) -> None:
    experiment = queued(postgres)
    fail(postgres, taken(postgres))
    refusals: list[str] = []

    def remove() -> None:
        try:
            ask(postgres, experiment, delete)
        except Conflict as conflict:
            refusals.append(conflict.detail)

    thread = threading.Thread(target=remove)
    with postgres.transaction() as session:
        one = read.experiment(session, experiment)
        session.execute(select(Cohort.id).where(Cohort.experiment_id == experiment).with_for_update())
        thread.start()
        _waits(postgres, thread)
        retry(session, one)
    thread.join()
    assert refusals == [f"experiment {experiment} is queued: cancel it first"]


@pytest.mark.parametrize("wish", [cancel, pause, resume, retry, delete])
def test_what_is_deleted_meanwhile_is_not_found(postgres: Database, wish: StopRequest) -> None:
    experiment = queued(postgres)
    ask(postgres, experiment, cancel)
    refusals: list[str] = []

    def come_late() -> None:
        try:
            ask(postgres, experiment, wish)
        except NotFound as refusal:
            refusals.append(refusal.detail)

    thread = threading.Thread(target=come_late)
    with postgres.transaction() as session:
        delete(session, read.experiment(session, experiment))
        session.flush()
        thread.start()
        _waits(postgres, thread)
    thread.join()
    assert refusals == [f"there is no experiment {experiment}"]


def test_a_zombie_of_a_deleted_experiment_ends_nobody_elses_cohort(database: Database) -> None:
    """SQLite gives the next cohort the id of the one that was deleted, and its first attempt is the first again."""
    experiment = queued(database)
    zombie = taken(database)
    with database.transaction() as session:
        end(session, zombie, Status.FAILED, error="ended elsewhere")
    ask(database, experiment, delete)
    other = queued(database)
    live = taken(database, "host/2/0")
    if database.engine.dialect.name == "sqlite":
        assert (live.cohort_id, live.attempt) == (zombie.cohort_id, zombie.attempt)
    with pytest.raises(Fenced), database.transaction() as session:
        end(session, zombie, Status.CANCELLED)
    with database.reading() as session:
        assert {run.status for run in session.scalars(select(Run).where(Run.experiment_id == other))} == {"running"}
