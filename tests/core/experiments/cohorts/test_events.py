"""What is told is told with what was done, and counted once whoever counts at the same time."""

from typing import get_args

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from core.experiments.cohorts.events import COUNTS, Count, Kind, counts, events, increment, record_event
from core.experiments.queries import read
from core.store import Database, Event
from tests.at_once import at_once
from tests.core.experiments.claims import queued


def test_what_never_happened_counts_as_nothing(database: Database) -> None:
    with database.reading() as session:
        assert counts(session) == dict.fromkeys(get_args(Count), 0)
    assert set(COUNTS) == set(get_args(Count))


def test_counters_add_up(database: Database) -> None:
    with database.transaction() as session:
        increment(session, "rescues")
        increment(session, "flush_retries", 5)
        increment(session, "rescues", 2)
    with database.reading() as session:
        assert {name: n for name, n in counts(session).items() if n} == {"rescues": 3, "flush_retries": 5}


def test_many_count_at_once(postgres: Database) -> None:
    """The first of all too: none of them finds the row there."""

    def work() -> None:
        for _ in range(20):
            with postgres.transaction() as session:
                increment(session, "rescues")

    at_once(6, work)
    with postgres.reading() as session:
        assert counts(session)["rescues"] == 120


def test_what_was_undone_was_not_told(database: Database) -> None:
    experiment = queued(database)
    with pytest.raises(ZeroDivisionError), database.transaction() as session:
        record_event(session, experiment, "paused")
        increment(session, "rescues")
        raise ZeroDivisionError
    with database.reading() as session:
        assert [event.kind for event in events(session, experiment)] == ["accepted"]
        assert counts(session)["rescues"] == 0


def test_a_history_is_read_page_by_page_and_is_one_experiments(database: Database) -> None:
    one, other = queued(database), queued(database)
    with database.transaction() as session:
        for i in range(5):
            record_event(session, one, "claimed", cohort=1, attempt=i, worker="here")
            record_event(session, other, "lost", cohort=2, attempt=i)
    with database.reading() as session:
        first = events(session, one, limit=4)
        rest = events(session, one, after=first[-1].id)
    assert [event.attempt for event in (*first, *rest)] == [None, 0, 1, 2, 3, 4]
    assert rest[-1].detail == {"worker": "here"}
    assert rest[-1].at >= first[0].at > 0


def test_a_history_goes_with_its_experiment(database: Database) -> None:
    experiment = queued(database)
    with database.transaction() as session:
        session.delete(read.experiment(session, experiment))
    with database.reading() as session:
        assert session.scalars(select(Event)).all() == []


def test_no_kind_is_longer_than_its_column(database: Database) -> None:
    experiment = queued(database)
    with database.transaction() as session:
        for kind in get_args(Kind):
            record_event(session, experiment, kind)
        assert session.scalar(text("SELECT count(*) FROM events")) == 1 + len(get_args(Kind))


def test_ids_follow_the_commits(postgres: Database) -> None:
    """Or who has read up to the larger id would never see the smaller one. SQLite has one writer anyway."""
    database = postgres
    first, second = queued(database), queued(database)
    with database.transaction() as one:
        record_event(one, first, "paused")
        with pytest.raises(OperationalError, match="lock timeout"), database.transaction() as other:
            other.execute(text("SET LOCAL lock_timeout = '50ms'"))
            record_event(other, second, "paused")  # another experiment's is its own affair
            record_event(other, first, "resumed")
    with database.reading() as session:
        assert [event.kind for event in events(session, first)] == ["accepted", "paused"]
    database.dispose()
