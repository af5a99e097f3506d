"""What becomes of runs whose worker dies: only the one that kills it fails, and it says why."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from core.experiments.cohorts.checkpoints import CheckpointRef
from core.experiments.cohorts.claims import Claim
from core.experiments.cohorts.events import counts, events
from core.experiments.cohorts.leases import Ended, Fenced, Flush, end, flush, renew
from core.experiments.cohorts.recovery import LOST_TOGETHER, MOST_LOST, mark_lost, recover_attempt
from core.experiments.maintenance import sweep
from core.experiments.queries import read
from core.experiments.queries.progress import progress_of
from core.experiments.requests import cancel
from core.store import Cohort, Database, Run, Status
from tests.core.experiments.claims import expire, queued, statuses, take, taken


def give(database: Database, held: Claim, why: str = "killed", last_lines: Sequence[str] = ()) -> str | None:
    with database.transaction() as session:
        return recover_attempt(session, held.cohort_id, held.attempt, why, last_lines)


def progress(database: Database, held: Claim, step: int, ended: Sequence[int] = (), *, keeps: bool = True) -> None:
    kept = CheckpointRef(
        name=f"cohort-{held.cohort_id}-{held.attempt}-{step}.safetensors", sha256="0", step=step, epochs=0
    )
    with database.transaction() as session:
        renew(session, held, 30)
        outcomes = {run: Ended(outcome="diverged", steps=step, final={}) for run in ended}
        flush(
            session,
            held,
            Flush(step=step, blocks=[], ended=outcomes, checkpoint=kept if keeps else None),
            held.resume_from,
        )


def test_only_the_run_that_kills_its_worker_fails(database: Database) -> None:
    """Of eight that train together one kills whoever trains it; the others lose some time."""
    experiment = queued(database, seeds=8)
    claims = 0
    while (held := take(database)) is not None:
        claims += 1
        if 3 in [lane.seed for lane in held.lanes]:
            give(database, held, last_lines=[f"attempt {held.attempt}"])
        else:
            with database.transaction() as session:
                end(session, held, Status.SUCCEEDED)
    with database.reading() as session:
        runs = {run.seed: (run.status, run.error) for run in read.runs(session, experiment)}
        assert (
            session.scalars(select(Cohort.status).where(Cohort.experiment_id == experiment)).all().count("failed") == 1
        )
        told = [event.kind for event in events(session, experiment)]
        assert {name: counts(session)[name] for name in ("rescues", "halvings")} == {"rescues": 6, "halvings": 3}
    assert {seed for seed, (status, _) in runs.items() if status == "failed"} == {3}
    assert {status for status, _ in runs.values()} == {"failed", "succeeded"}
    assert (told.count("lost"), told.count("halved")) == (6, 3)
    assert runs[3][1] is not None
    assert runs[3][1].splitlines() == ["3 attempts without progress, after update 0 of 15: killed", "  attempt 6"]
    assert claims == 6 + 3  # lost: all eight twice, then 4, 2 and twice the one alone; and three halves that were well


def test_a_cohort_is_tried_again_as_it_was_before_it_is_parted(database: Database) -> None:
    queued(database, seeds=2)
    for lost in range(1, LOST_TOGETHER):
        held = taken(database)
        assert len(held.lanes) == 2
        assert give(database, held) == "queued"
        with database.reading() as session:
            assert session.scalars(select(Cohort.lost)).all() == [lost]
    assert give(database, taken(database)) == "queued"
    assert [len(taken(database).lanes) for _ in range(2)] == [1, 1]


def test_a_run_alone_fails_with_the_reason_and_the_last_words_of_its_worker(database: Database) -> None:
    experiment = queued(database, seeds=1)
    for attempt in range(1, MOST_LOST + 1):
        status = give(database, taken(database), f"reason {attempt}", ["Fatal Python error: Segmentation fault", "..."])
        assert status == ("failed" if attempt == MOST_LOST else "queued")
    with database.reading() as session:
        (run,) = read.runs(session, experiment)
        *_, lost, ended = events(session, experiment)
        errors = progress_of(session, read.experiment(session, experiment)).errors
    assert run.error == (
        "3 attempts without progress, after update 0 of 15: reason 3\n  Fatal Python error: Segmentation fault\n  ..."
    )
    assert errors == [run.error]
    assert run.finished_at is not None
    assert (lost.kind, lost.attempt, lost.detail["why"], len(lost.detail["log"])) == ("lost", 3, "reason 3", 2)
    assert (ended.kind, ended.detail["status"]) == ("ended", "failed")


def test_a_new_checkpoint_is_progress(database: Database) -> None:
    queued(database, seeds=1)
    for attempt in range(1, 3 * MOST_LOST):
        held = taken(database)
        if attempt % (MOST_LOST - 1):
            progress(database, held, attempt)
        assert give(database, held) == "queued"


def test_points_without_a_checkpoint_are_no_progress(database: Database) -> None:
    """They are measured again by the next attempt, which may die at the same update."""
    experiment = queued(database, seeds=1)
    for attempt in range(MOST_LOST):
        held = taken(database)
        progress(database, held, attempt + 1, keeps=False)
        give(database, held)
    assert statuses(database, experiment) == {"failed"}


def test_the_halves_start_over_and_runs_that_ended_are_not_trained_again(database: Database) -> None:
    experiment = queued(database, seeds=3)
    held = taken(database)
    progress(database, held, 5, [held.lanes[0].run])
    for _ in range(LOST_TOGETHER):
        assert give(database, held) == "queued"
        held = taken(database)
    assert ([lane.seed for lane in held.lanes], held.resume_from, held.ended) == ([1], None, frozenset())
    assert [lane.seed for lane in taken(database).lanes] == [2]
    with database.reading() as session:
        (halved,) = [event for event in events(session, experiment) if event.kind == "halved"]
        into = halved.detail["into"]
        found = {session.get_one(Cohort, into[status]).status: into[status] for status in into}
        assert session.scalars(select(Run.seed).where(Run.cohort_id == into["succeeded"])).all() == [0]
    assert found == {"succeeded": into["succeeded"], "running": into["queued"]}


@pytest.mark.parametrize("seeds", [1, 2])
def test_a_worker_that_dies_before_the_last_word_has_done_its_work(database: Database, seeds: int) -> None:
    """All its runs have ended; only that it is done was not written. There is nothing to train and nothing to part."""
    experiment = queued(database, seeds=seeds)
    held = taken(database)
    with database.transaction() as session:
        session.get_one(Cohort, held.cohort_id).lost = MOST_LOST
    progress(database, held, 15, [lane.run for lane in held.lanes], keeps=False)
    expire(database, held)
    assert sweep(database, 0).ended == 1
    with database.reading() as session:
        assert read.experiment(session, experiment).status == "succeeded"
        assert [event.kind for event in events(session, experiment)][-2:] == ["lost", "ended"]
        assert session.scalars(select(Cohort.status)).all() == ["succeeded"]


def test_what_was_cancelled_is_not_tried_again(database: Database) -> None:
    experiment = queued(database, seeds=2)
    held = taken(database)
    with database.transaction() as session:
        cancel(session, read.experiment(session, experiment))
        session.get_one(Cohort, held.cohort_id).lost = MOST_LOST
    assert give(database, held) == "cancelled"
    assert statuses(database, experiment) == {"cancelled"}


def test_an_attempt_is_given_up_once_and_by_its_holder_only_while_it_is_its_own(database: Database) -> None:
    queued(database, seeds=1)
    held = taken(database)
    assert give(database, held) == "queued"
    assert give(database, held) is None
    with pytest.raises(Fenced), database.transaction() as session:
        mark_lost(session, held, "late")
    with database.reading() as session:
        assert session.scalars(select(Cohort.lost)).all() == [1]


def test_a_sweep_tells_the_last_lines_and_then_the_log_goes(database: Database, tmp_path: Path) -> None:
    experiment = queued(database, seeds=1)
    held = taken(database)
    log = tmp_path / f"cohort-{held.cohort_id}-{held.attempt}.log"
    log.write_text("".join(f"line {i}\n" for i in range(20)))
    assert sweep(database, 0, tmp_path).rescued == 0
    assert log.exists()
    expire(database, held)
    assert sweep(database, 0, tmp_path).rescued == 1
    assert not log.exists()
    with database.reading() as session:
        assert events(session, experiment)[-1].detail["log"] == [f"line {i}" for i in range(12, 20)]
