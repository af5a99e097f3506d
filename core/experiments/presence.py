"""Which training processes are alive, for those who ask whether the service can work."""

import logging
import threading

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.experiments.holders import this_process
from core.store import Database, StorageFull, Worker, now

log = logging.getLogger(__name__)

BEAT = 5.0
"""Seconds between signs of life; three missed ones are none."""


def workers_alive(session: Session) -> int:
    """How many training processes gave a sign of life lately."""
    return session.scalar(select(func.count()).where(Worker.last_seen > now() - 3 * BEAT)) or 0


class Presence:
    """Gives signs of life from a thread of its own for as long as the process lives."""

    def __init__(self, database: Database, devices: str) -> None:
        self._database = database
        self._devices = devices
        self._holder = this_process()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take the name off the list."""
        self._closed.set()
        self._thread.join()
        with self._database.transaction() as session:
            session.execute(delete(Worker).where(Worker.holder == self._holder))

    def _run(self) -> None:
        while True:
            try:
                self._beat()
            except (SQLAlchemyError, StorageFull) as error:  # a worker may come up before its database does
                log.warning("no sign of life could be written: %s", error)
            if self._closed.wait(BEAT):
                return

    def _beat(self) -> None:
        with self._database.transaction() as session:
            seen = session.execute(update(Worker).where(Worker.holder == self._holder).values(last_seen=now()))
            if not seen.rowcount:  # type: ignore[attr-defined]
                session.execute(delete(Worker).where(Worker.last_seen < now() - 86_400))
                session.add(Worker(holder=self._holder, devices=self._devices, last_seen=session.scalar(select(now()))))
