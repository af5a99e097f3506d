"""Tells a process which experiments have changed: PostgreSQL notifies it, SQLite is asked cheaply and often."""

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.store.database import OBSERVERS, Database, after_commit

log = logging.getLogger(__name__)

CHANNEL = "initlab_changes"
"""PostgreSQL's channel; a message is an experiment's id."""
ASK_SECONDS = 0.1
"""Seconds between two questions to SQLite whether anybody has written."""
HEAR_SECONDS = 0.5
"""Seconds within which a thread that hears PostgreSQL notices that it is to end."""
AGAIN_SECONDS = 1.0
"""Seconds until the database is tried again after an error."""


def announce(session: Session, experiment_id: int) -> None:
    """Tell whoever watches that an experiment has changed, once the transaction is durable; never if it is not.

    Observers of the session's own `Database` are told before the transaction's block is left.
    """
    for changed in session.info.get(OBSERVERS, ()):
        after_commit(session, partial(changed, experiment_id))
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_notify(CHANNEL, str(experiment_id))))


class ChangeWatch:
    """A thread that tells which experiments may have changed, from when somebody first wants to hear it.

    It has a connection of its own, which it makes again after an error.
    """

    def __init__(self, database: Database) -> None:
        self._engine = database.engine
        self._told: list[Callable[[int | None], object]] = []
        self._closed = threading.Event()
        self.hears = False
        """True while a change is told as it happens: until then one has to look."""
        self._thread = threading.Thread(target=self._run, name="changes", daemon=True)
        self._lock = threading.Lock()

    def tell(self, changed: Callable[[int | None], object]) -> None:
        """Have `changed` called, in the thread, with each experiment that may have changed; None: any may have.

        What happened while nothing could be heard is told as None.
        """
        with self._lock:
            self._told.append(changed)
            if self._thread.ident is None:
                self._thread.start()

    def close(self) -> None:
        self._closed.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=5)

    def _changed(self, experiment_id: int | None) -> None:
        for changed in self._told:
            changed(experiment_id)

    def _run(self) -> None:
        watch = self._hear if self._engine.dialect.name == "postgresql" else self._ask
        while not self._closed.is_set():
            try:
                watch()
            except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
                self.hears = False
                log.warning("the watch for changes lost the database: %s", error)
                self._closed.wait(AGAIN_SECONDS)

    def _hear(self) -> None:
        pooled = self._engine.raw_connection()
        connection: Any = pooled.driver_connection
        pooled.detach()  # it is no request's, and does not count among theirs
        try:
            connection.autocommit = True
            connection.execute(f"LISTEN {CHANNEL}")
            self.hears = True
            self._changed(None)
            while not self._closed.is_set():
                for told in connection.notifies(timeout=HEAR_SECONDS):
                    self._changed(int(told.payload))
        finally:
            connection.close()

    def _ask(self) -> None:
        pooled = self._engine.raw_connection()
        pooled.detach()
        try:
            cursor, before = pooled.cursor(), None
            while not self._closed.wait(ASK_SECONDS if before else 0):
                # Another number once another connection, of whichever process, has committed; it takes microseconds.
                version = cursor.execute("PRAGMA data_version").fetchone()
                if version != before:
                    before, self.hears = version, True
                    self._changed(None)
        finally:
            pooled.close()
