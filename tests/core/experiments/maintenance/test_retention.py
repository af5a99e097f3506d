"""What is too old goes, whole, in steps of milliseconds, and nothing else does."""

import pytest
from sqlalchemy import func, select, update

from core.errors import NotFound
from core.experiments import projects
from core.experiments.cohorts import removal
from core.experiments.maintenance import retention
from core.experiments.maintenance.merging import BlockMerger
from core.experiments.maintenance.retention import clear_removed, remove_expired
from core.experiments.projects import Amount, ProjectSpec
from core.experiments.queries import lists, read
from core.experiments.requests import delete, retry
from core.store import Base, Database, Experiment, Run, now
from tests.core.experiments.claims import queued, taken
from tests.core.experiments.fake_worker import STEPS, Hand

DAYS = 30


def ended(database: Database, days: float, status: str = "succeeded") -> int:
    """An experiment that ended so many days ago."""
    experiment = queued(database)
    hand = Hand.of(database, taken(database))
    hand.train(STEPS)
    hand.finish(status)
    with database.transaction() as session:
        ago = now() - days * retention.DAY
        session.execute(update(Experiment).where(Experiment.id == experiment).values(finished_at=ago))
    return experiment


def there(database: Database) -> list[int]:
    with database.reading() as session:
        return sorted(one.id for one in lists.experiments(session, limit=100).items)


def rows(database: Database) -> dict[str, int]:
    with database.reading() as session:
        tables = Base.metadata.sorted_tables
        found = {table.name: session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}
    return {name: number for name, number in found.items() if number and name != "counters"}


def test_what_ended_long_ago_is_removed_and_nothing_else(database: Database) -> None:
    old, failed = ended(database, DAYS + 1), ended(database, DAYS + 2, "failed")
    young = ended(database, DAYS - 1)
    waiting = queued(database)
    with database.transaction() as session:
        session.execute(update(Experiment).values(created_at=now() - 100 * retention.DAY))
    assert remove_expired(database, None) == 0
    assert there(database) == [old, failed, young, waiting]
    assert remove_expired(database, DAYS) == 2
    assert there(database) == [young, waiting]
    assert remove_expired(database, DAYS) == 0


def test_a_project_may_have_a_number_of_days_of_its_own(database: Database) -> None:
    """Others none at all: then the default counts, if there is one."""
    mine, longer, shorter = (ended(database, days) for days in (DAYS + 1, DAYS + 1, 3))
    with database.transaction() as session:
        for name, experiment, days in (("archive", longer, 1000.0), ("scratch", shorter, 2.0)):
            projects.create(session, ProjectSpec(name=name, keep_days=days))
            session.execute(update(Experiment).where(Experiment.id == experiment).values(project=name))
    assert remove_expired(database, None) == 1
    assert there(database) == [mine, longer]
    assert remove_expired(database, DAYS) == 1
    assert there(database) == [longer]


def test_what_is_removed_counts_no_more(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """From then on, though its rows go later."""
    ended(database, DAYS + 1)
    assert not projects.recount(database, list), "it is counted as it was posted"
    monkeypatch.setattr(removal, "MOST_BLOCKS", 3)
    assert remove_expired(database, DAYS) == 1
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Run))
        assert set(projects.used(session).values()) == {Amount()}
    assert not projects.recount(database, list)


def test_a_large_experiment_is_gone_at_once_and_its_rows_go_in_steps(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = ended(database, 0)
    before = rows(database)
    experiment = ended(database, 0)
    with database.transaction() as session:
        key = update(Experiment).where(Experiment.id == experiment).values(idempotency_key="key")
        session.execute(key)
    monkeypatch.setattr(removal, "MOST_BLOCKS", 3)
    monkeypatch.setattr(retention, "ROWS", 4)
    monkeypatch.setattr(retention, "POINTS", 60)
    with database.transaction() as session:
        delete(session, read.experiment(session, experiment))
    with database.reading() as session:
        run = session.scalars(select(Run.id).where(Run.experiment_id == experiment)).first()
        assert run is not None
        with pytest.raises(NotFound):
            read.experiment(session, experiment)
        with pytest.raises(NotFound):
            read.run(session, run)
        found, _, total = lists.experiments(session, limit=100)
        assert ([one.id for one in found], total) == ([kept], 1)
        assert session.scalars(select(Experiment.idempotency_key).where(Experiment.id == experiment)).one() is None
    steps = 0
    while clear_removed(database):
        BlockMerger(database).merge()
        steps += 1
    assert steps > 10
    assert rows(database) == before


def test_what_is_tried_again_meanwhile_stays(postgres: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's transaction was first, and holds the cohorts that a removal needs."""
    experiment = ended(postgres, DAYS + 1, "failed")
    lock = retention.lock_cohorts

    def after_the_user(session: object, number: int) -> None:
        with postgres.transaction() as users:
            retry(users, read.experiment(users, number))
        lock(session, number)  # type: ignore[arg-type]

    monkeypatch.setattr(retention, "lock_cohorts", after_the_user)
    assert remove_expired(postgres, DAYS) == 0
    assert there(postgres) == [experiment]
