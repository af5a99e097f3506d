"""Engines, and the two ways to use them: a transaction that writes, and a read that does not."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, func, make_url, select
from sqlalchemy.engine import ExecutionContext
from sqlalchemy.exc import OperationalError, StatementError
from sqlalchemy.orm import Session

from core.errors import InitlabError

AFTER_COMMIT, OBSERVERS = "after_commit", "observers"
PREPARE = "prepare_threshold"
"""A parameter of PostgreSQL's URL: `none` for poolers that give each transaction another connection, and so cannot keep
prepared statements apart."""
AS_BYTES = {"as_bytes": True}
"""Options of a statement that fetches blobs: 4 MB take PostgreSQL 40 ms as text, of two characters a byte, and 8 so."""
BUSY = 10.0
"""Seconds for which SQLite's writers wait for one another."""
LOG_BYTES = 2**26
"""Bytes to which SQLite's log is cut when all of it is in the database."""
NETWORK: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""libpq's, in seconds, the last in ms: a server that a network has cut off is given up after some ten seconds.

By the kernel's own timeouts a thread would wait for it for a quarter of an hour, or two hours where it only listens.
"""


class StorageFull(InitlabError):
    """The disk has no room for the write; nothing was stored."""

    status = 507
    title = "Storage full"


class Database:
    """One engine for the process. Make it after a fork, never before."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.engine = _engine(url, pool_size)
        event.listen(self.engine, "handle_error", _forget_values)
        # SQLite gives one state to all statements of a transaction; PostgreSQL has to be asked for it.
        snapshot = {"isolation_level": "REPEATABLE READ"} if self.engine.dialect.name == "postgresql" else {}
        self._reading = self.engine.execution_options(initlab_readonly=True, **snapshot)
        self._looking = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._turn = threading.Lock() if self.engine.dialect.name == "sqlite" else None
        self._observers: list[Callable[[int], object]] = []

    def observe(self, changed: Callable[[int], object]) -> None:
        """Have `changed` called with each experiment that a transaction of this object announces, before it returns."""
        self._observers.append(changed)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Commit at the end, roll back on any error; then call what `after_commit` was given."""
        with Session(self.engine, expire_on_commit=False, info={OBSERVERS: self._observers}) as session:
            try:
                with self._in_turn(), session.begin():
                    yield session
            except OperationalError as error:
                if _is_full(error):
                    raise StorageFull("the database's disk is full; nothing was stored") from error
                raise
            for call in session.info.get(AFTER_COMMIT, ()):
                call()

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """Wait for this process's other writers on SQLite, which itself has them ask again ever less often.

        Who is not served in time goes on, and SQLite decides.
        """
        served = self._turn is not None and self._turn.acquire(timeout=BUSY)
        try:
            yield
        finally:
            if served and self._turn is not None:
                self._turn.release()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that reads one state of the database and takes no write lock."""
        with Session(self._reading, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def looking(self) -> Iterator[Session]:
        """A session whose statements each read the state of their own moment: two messages fewer than `reading`."""
        with Session(self._looking, expire_on_commit=False) as session:
            yield session

    def dispose(self) -> None:
        self.engine.dispose()


def after_commit(session: Session, call: Callable[[], Any]) -> None:
    """Have `call` made once the session's transaction is durable; never if it is not."""
    session.info.setdefault(AFTER_COMMIT, []).append(call)


def serialise(session: Session, key: str) -> None:
    """Let one transaction at a time past this point for the same key."""
    session.connection()  # on SQLite a transaction that has begun is the only one that writes
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))


def _engine(url: str, pool_size: int) -> Engine:
    if make_url(url).get_backend_name() == "sqlite":
        engine = create_engine(url, pool_size=pool_size, max_overflow=20, connect_args={"timeout": 10})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # A stuck client must not hold its locks for ever, nor a dead server a request.
    options = "-c lock_timeout=5s -c statement_timeout=60s -c idle_in_transaction_session_timeout=30s"
    arguments: dict[str, Any] = NETWORK | {"options": options}
    if make_url(url).query.get(PREPARE) == "none":  # a text would be a number to the driver, or an error
        arguments[PREPARE] = None
    server = make_url(url).difference_update_query([PREPARE])
    engine = create_engine(server, pool_size=pool_size, max_overflow=20, pool_pre_ping=True, connect_args=arguments)
    event.listen(engine, "before_cursor_execute", _ask_for_bytes)
    return engine


def _ask_for_bytes(
    _connection: Connection, cursor: Any, _sql: str, _values: object, context: ExecutionContext | None, _many: bool
) -> None:
    """Have PostgreSQL answer in its binary format where a statement asks for it, and not in text: see `AS_BYTES`."""
    if context is not None and context.execution_options.get("as_bytes"):
        cursor.format = 1  # `psycopg.pq.Format.BINARY`


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver must not begin transactions by itself: its DEFERRED ones lose updates (reliability, section 4).
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout={BUSY * 1000:.0f}",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"journal_size_limit={LOG_BYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    _write_ahead(connection)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log, and have a new file give back what becomes free in it (`core.store.space`).

    Of several that do so first at once SQLite lets one wait and refuses the others.
    """
    deadline = time.monotonic() + BUSY
    while True:
        try:
            if connection.execute("PRAGMA page_count").fetchone() == (0,):
                connection.execute("PRAGMA auto_vacuum=INCREMENTAL").fetchall()
            connection.execute("PRAGMA journal_mode=WAL").fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    readonly = connection.get_execution_options().get("initlab_readonly")
    connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")


def _forget_values(context: ExceptionContext) -> None:
    """Take a statement's values out of its error: they are no text for a log, nor can all be sent to a process."""
    if isinstance(context.sqlalchemy_exception, StatementError):
        context.sqlalchemy_exception.params = None


def is_missing(url: URL) -> bool:
    """Return whether the URL is that of an SQLite file which nobody has made."""
    return url.get_backend_name() == "sqlite" and bool(url.database) and not Path(str(url.database)).exists()


def in_words(error: Exception) -> str:
    """Return what went wrong, of an error of the database without its statement and SQLAlchemy's links."""
    return " ".join(str(error.orig if isinstance(error, StatementError) else error).split())


def _is_full(error: OperationalError) -> bool:
    original = error.orig
    if isinstance(original, sqlite3.Error):
        return original.sqlite_errorcode == sqlite3.SQLITE_FULL
    return getattr(original, "sqlstate", None) == "53100"  # PostgreSQL: disk_full
