"""Transactions on both databases: nothing lost, nothing half done, and a clock."""

import os
import pickle
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, select, text
from sqlalchemy.exc import IntegrityError

from core.store import AS_BYTES, Database, SavedReport, StorageFull, Worker, after_commit, now, serialise, upgrade
from tests.at_once import at_once

KEEPALIVE = ("KEEPIDLE", "KEEPINTVL", "KEEPCNT", "USER_TIMEOUT")


def test_concurrent_increments_are_all_kept(database: Database) -> None:
    """Four threads read, then write: SQLAlchemy's default on SQLite loses almost half of these without an error."""
    with database.transaction() as session:
        session.add(Worker(holder="counter", devices="", last_seen=0.0))

    def count() -> None:
        for _ in range(50):
            with database.transaction() as session:
                row = session.get(Worker, "counter", with_for_update=True)
                assert row is not None
                row.last_seen += 1

    at_once(4, count)
    with database.reading() as session:
        assert session.scalar(select(Worker.last_seen)) == 200


def test_an_error_says_nothing_of_the_values_and_can_be_sent_to_another_process(database: Database) -> None:
    secret = memoryview(b"secret")
    with pytest.raises(IntegrityError) as caught, database.transaction() as session:
        session.execute(insert(SavedReport).values(experiment_id=99, asked="", version="", body=secret))
    assert "secret" not in str(caught.value)
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), IntegrityError)  # noqa: S301 its own


def test_a_server_that_a_network_cuts_off_is_given_up_in_seconds(postgres: Database) -> None:
    """The kernel's own timeouts are hours for who listens, and a quarter of one for who has sent something."""
    with postgres.reading() as session:
        driver = session.connection().connection.driver_connection
        assert driver is not None
        with socket.socket(fileno=os.dup(driver.fileno())) as here:
            tcp = [here.getsockopt(socket.IPPROTO_TCP, getattr(socket, f"TCP_{name}")) for name in KEEPALIVE]
            assert here.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    idle, interval, count, sent = tcp
    assert idle + interval * count <= 15
    assert 0 < sent <= 15_000


def test_readers_see_a_consistent_state_and_do_not_wait_for_a_writer(database: Database) -> None:
    with database.transaction() as writing:
        writing.add(Worker(holder="new", devices="", last_seen=0.0))
        writing.flush()
        with database.reading() as reading:
            assert reading.scalar(select(Worker.holder)) is None
    with database.reading() as reading:
        assert reading.scalar(select(Worker.holder)) == "new"


def test_a_look_sees_one_state_in_all_its_statements(database: Database) -> None:
    with database.reading() as reading:
        assert list(reading.scalars(select(Worker.holder))) == []
        with database.transaction() as session:
            session.add(Worker(holder="later", devices="", last_seen=0.0))
        assert list(reading.scalars(select(Worker.holder))) == []
    with database.reading() as reading:
        assert list(reading.scalars(select(Worker.holder))) == ["later"]


def test_sqlite_commits_are_durable_and_fenced_by_foreign_keys(tmp_path: Path) -> None:
    made = Database(f"sqlite:///{tmp_path / 'a.sqlite'}")
    with made.reading() as session:
        pragmas = {
            name: session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    made.dispose()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_after_commit_runs_once_durable_and_never_otherwise(database: Database) -> None:
    heard: list[str | None] = []

    def look() -> None:
        with database.reading() as session:
            heard.append(session.scalar(select(Worker.holder)))

    with database.transaction() as session:
        session.add(Worker(holder="there", devices="", last_seen=0.0))
        after_commit(session, look)
        assert heard == []
    assert heard == ["there"]
    with pytest.raises(IntegrityError), database.transaction() as session:
        after_commit(session, look)
        session.add(Worker(holder="there", devices="", last_seen=0.0))
    assert heard == ["there"]


def test_the_clock_is_the_databases_and_runs_on_inside_a_transaction(database: Database) -> None:
    with database.transaction() as session:
        first = session.scalar(select(now()))
        assert first is not None
        assert abs(first - time.time()) < 60
        deadline = time.monotonic() + 5
        while (later := session.scalar(select(now()))) == first:
            assert time.monotonic() < deadline
        assert later is not None
        assert later > first


def test_serialise_lets_one_transaction_at_a_time_past(database: Database) -> None:
    inside, most = 0, 0
    lock = threading.Lock()

    def enter() -> None:
        nonlocal inside, most
        with database.transaction() as session:
            serialise(session, "key")
            with lock:
                inside += 1
                most = max(most, inside)
            session.execute(select(now()))
            with lock:
                inside -= 1

    at_once(6, enter)
    assert most == 1


@pytest.mark.parametrize("by_pages", [{}, {"yield_per": 2}], ids=["at once", "by pages"])
def test_what_is_asked_for_as_bytes_is_sent_as_such_and_is_the_same(
    postgres: Database, by_pages: dict[str, int]
) -> None:
    given = [bytes(range(256)), b"", b"\0'\\x"]
    formats: list[int] = []

    @event.listens_for(postgres.engine, "after_cursor_execute")
    def look(_connection: Connection, cursor: Any, *_: object) -> None:
        formats.append(cursor.format)

    rows = "(VALUES (:a, 1, 'é', 0.5::float8), (:b, 2, NULL, 'nan'), (:c, -3, '', NULL)) AS v (b, n, t, x)"
    values = text(f"SELECT * FROM {rows}").bindparams(**dict(zip("abc", given, strict=True)))
    with postgres.reading() as session:
        formats.clear()
        as_text = session.execute(values).all()
        as_bytes = session.execute(values, execution_options=AS_BYTES | by_pages).all()
    assert formats == [0, 1]
    assert repr(as_bytes) == repr(as_text)  # of a NaN too
    assert [row.b for row in as_bytes] == given


def test_a_full_disk_is_said_and_stores_nothing(tmp_path: Path) -> None:
    made = Database(f"sqlite:///{tmp_path / 'small.sqlite'}", pool_size=1)
    upgrade(made.engine)
    with made.transaction() as session:
        pages = session.scalar(text("PRAGMA page_count")) or 0
        session.execute(text(f"PRAGMA max_page_count={pages}"))
    with pytest.raises(StorageFull, match="disk is full"), made.transaction() as session:
        session.add_all(Worker(holder=f"{i}" * 100, devices="", last_seen=0.0) for i in range(200))
    with made.reading() as session:
        assert session.scalar(select(Worker.holder)) is None
    made.dispose()


def test_many_open_a_new_file_at_once(tmp_path: Path) -> None:
    """SQLite refuses all but one of those that switch to its write-ahead log at the same moment."""
    for turn in range(60):

        def opened(url: str = f"sqlite:///{tmp_path / str(turn)}") -> None:
            database = Database(url)
            with database.engine.begin() as connection:
                connection.execute(text("SELECT 1"))
            database.dispose()

        at_once(8, opened)
