"""One live attempt per cohort, and no write of any other."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from core.experiments.cohorts.claims import Claim
from core.experiments.cohorts.leases import Ended, Fenced, Flush, end, flush, poll_requests, renew
from core.experiments.maintenance import sweep
from core.experiments.queries import read
from core.experiments.queries.progress import progress_of
from core.experiments.requests import cancel
from core.store import Cohort, Database, Experiment, Status
from tests.core.experiments.claims import block, blocks, expire, queued, statuses, take, taken


def _status(database: Database, experiment: int) -> str:
    with database.reading() as session:
        return session.scalars(select(Experiment.status).where(Experiment.id == experiment)).one()


def test_a_cohort_is_claimed_once(database: Database) -> None:
    experiment = queued(database)
    held = taken(database)
    assert held.attempt == 1
    assert [lane.seed for lane in held.lanes] == [0, 1]
    assert take(database) is None
    assert statuses(database, experiment) == {"running"}
    assert _status(database, experiment) == "running"


def test_many_workers_claim_every_cohort_once(database: Database) -> None:
    queued(database, cohorts=12)
    claims: list[Claim] = []
    lock = threading.Lock()

    def work(name: str) -> None:
        while (held := take(database, f"host/{name}/0")) is not None:
            with lock:
                claims.append(held)

    threads = [threading.Thread(target=work, args=(str(i),)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(held.cohort_id for held in claims) == list(range(1, 13))


def test_the_most_urgent_comes_first_and_then_the_oldest(database: Database) -> None:
    queued(database)
    urgent = queued(database, priority=5)
    last = queued(database)
    order = [taken(database).experiment_id for _ in range(3)]
    assert order == [urgent, urgent - 1, last]


def test_a_device_that_is_not_here_is_left_to_others(database: Database) -> None:
    queued(database, device="cuda")
    assert take(database) is None


def test_a_lost_cohort_starts_again_without_its_old_points(database: Database) -> None:
    experiment = queued(database)
    first = taken(database)
    run = first.lanes[0].run
    with database.transaction() as session:
        renew(session, first, 30)
        flush(session, first, Flush(step=3, blocks=[block(run)]))
    expire(database, first)
    assert sweep(database, 0).rescued == 1
    assert statuses(database, experiment) == {"queued"}
    second = taken(database, "host/2/0")
    assert (second.cohort_id, second.attempt) == (first.cohort_id, 2)
    assert blocks(database) == []


@pytest.mark.parametrize("write", ["renew", "poll", "end"])
def test_a_zombie_is_fenced_at_every_write(database: Database, write: str) -> None:
    queued(database)
    zombie = taken(database)
    expire(database, zombie)
    sweep(database, 0)
    calls: dict[str, Callable[[Session], object]] = {
        "renew": lambda s: renew(s, zombie, 30),
        "poll": lambda s: poll_requests(s, zombie),
        "end": lambda s: end(s, zombie, Status.SUCCEEDED),
    }
    with pytest.raises(Fenced), database.transaction() as session:  # while it waits for a new worker
        calls[write](session)
    live = taken(database)
    with pytest.raises(Fenced), database.transaction() as session:  # and after it was taken again
        calls[write](session)
    with database.transaction() as session:
        renew(session, live, 30)
        flush(session, live, Flush(step=3, blocks=[block(live.lanes[0].run)]))
    assert blocks(database) == [(0, 3, 2)]


def test_who_took_an_attempt_that_is_counted_again_is_fenced(database: Database) -> None:
    """As after the restore of a backup: what was claimed since has the numbers of what is claimed now."""
    queued(database)
    before = taken(database)
    with database.transaction() as session:
        session.execute(update(Cohort).values(holder="host/2/0"))
    with pytest.raises(Fenced), database.transaction() as session:
        renew(session, before, 30)


def test_a_zombies_flush_leaves_nothing_behind(database: Database) -> None:
    queued(database)
    zombie = taken(database)
    expire(database, zombie)
    sweep(database, 0)
    with pytest.raises(Fenced), database.transaction() as session:
        renew(session, zombie, 30)
        flush(session, zombie, Flush(step=3, blocks=[block(zombie.lanes[0].run)]))
    assert blocks(database) == []


def test_storing_the_same_blocks_again_changes_nothing(database: Database) -> None:
    """A commit whose outcome is unknown is tried again."""
    queued(database)
    held = taken(database)
    what = Flush(step=3, blocks=[block(held.lanes[0].run)])
    for _ in range(2):
        with database.transaction() as session:
            renew(session, held, 30)
            flush(session, held, what)
    assert blocks(database) == [(0, 3, 1)]


def test_an_ended_cohort_stays_ended(database: Database) -> None:
    experiment = queued(database)
    held = taken(database)
    with database.transaction() as session:
        renew(session, held, 30)
        flush(
            session,
            held,
            Flush(
                step=15,
                blocks=[],
                ended={lane.run: Ended(outcome="completed", steps=15, final={"lr": 0.1}) for lane in held.lanes},
            ),
        )
        end(session, held, Status.SUCCEEDED)
    assert _status(database, experiment) == "succeeded"
    with pytest.raises(Fenced), database.transaction() as session:
        end(session, held, Status.FAILED, error="too late")
    expire(database, held)
    assert sweep(database, 0) == (0, 0, {})
    with database.transaction() as session:
        cancel(session, read.experiment(session, experiment))
    assert statuses(database, experiment) == {"succeeded"}
    assert take(database) is None


def test_runs_that_ended_early_keep_what_they_are(database: Database) -> None:
    experiment = queued(database)
    held = taken(database)
    diverged, other = (lane.run for lane in held.lanes)
    with database.transaction() as session:
        renew(session, held, 30)
        flush(
            session,
            held,
            Flush(
                step=5,
                blocks=[block(diverged), block(other)],
                ended={diverged: Ended(outcome="diverged", steps=3, final={})},
            ),
        )
    expire(database, held)
    sweep(database, 0)
    again = taken(database, "host/2/0")
    assert ([lane.run for lane in again.lanes], again.ended) == ([diverged, other], {diverged})
    assert blocks(database) == [(0, 3, 1)]
    with database.reading() as session:
        runs = {
            run.id: (run.status, run.outcome, run.steps_done, run.attempt) for run in read.runs(session, experiment)
        }
    assert runs == {diverged: ("succeeded", "diverged", 3, 1), other: ("running", None, 0, 2)}


def test_an_experiment_ends_as_its_worst_cohort_did(database: Database) -> None:
    experiment = queued(database, cohorts=3)
    for status in ("succeeded", "failed", "succeeded"):
        assert _status(database, experiment) in ("queued", "running")
        held = taken(database)
        with database.transaction() as session:
            end(session, held, Status(status), error="why" if status == "failed" else None)
    assert _status(database, experiment) == "failed"
    with database.reading() as session:
        assert progress_of(session, read.experiment(session, experiment)).errors == ["why"]


def test_two_cohorts_that_end_at_once_end_their_experiment(postgres: Database) -> None:
    """Neither transaction sees the other's end: without a lock the experiment would be running for ever."""
    database = postgres
    experiment = queued(database, cohorts=2)
    one, other = taken(database), taken(database)

    def end_other() -> None:
        with database.transaction() as session:
            end(session, other, Status.SUCCEEDED)

    second = threading.Thread(target=end_other)
    with database.transaction() as session:
        end(session, one, Status.SUCCEEDED)
        second.start()
        with database.reading() as looking:
            waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            while second.is_alive() and not looking.scalar(waiting):
                pass
    second.join()
    assert _status(database, experiment) == "succeeded"
