"""The heartbeat of training processes: which are alive, and the profiles of their machines that plans are made from."""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from typing import Literal

from pydantic import ValidationError
from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.experiments.cohorts.eligibility import WorkerCapabilities
from core.experiments.cohorts.process_ids import host_of, this_process
from core.store import Database, StorageFull, Worker, is_current, now
from core.training import Profile

log = logging.getLogger(__name__)

BEAT = 5.0
"""Seconds between heartbeats; who misses three counts as dead."""


def workers_alive(session: Session) -> int:
    """Return the number of training processes that are alive, without those that were asked to leave."""
    return session.scalar(select(func.count()).where(Worker.last_seen > now() - 3 * BEAT, ~Worker.draining)) or 0


def is_draining(session: Session, holder: str) -> bool:
    """Return whether a training process was asked to leave."""
    return bool(session.scalar(select(Worker.draining).where(Worker.holder == holder)))


def workers_by_queue(session: Session) -> Counter[str]:
    """Return that number by the queue that they serve; one that serves several counts in each."""
    answering = session.scalars(select(Worker.queues).where(Worker.last_seen > now() - 3 * BEAT, ~Worker.draining))
    return Counter(queue for queues in answering for queue in queues.split(",") if queue)


def _alive(device: str) -> Select[str, bool]:
    """Return the statement that finds the live workers with a profile and this device, the fittest first."""
    table = Worker.__table__.c
    gpu = table.devices.contains("cuda")
    wanted = [gpu] if device == "cuda" else []
    return (
        select(table.holder, gpu.label("gpu"))
        .where(table.last_seen > now() - 3 * BEAT, table.profile.is_not(None), *wanted)
        .order_by(gpu if device == "cpu" else gpu.desc(), table.last_seen.desc(), table.holder)
    )


_ALIVE = {device: _alive(device) for device in ("auto", "cpu", "cuda")}
"""Made once: every post asks."""


def profile_for(session: Session, device: Literal["auto", "cpu", "cuda"], fallback: Profile) -> Profile:
    """Return the profile to plan experiments on a device with: that of a live worker that has it, else `fallback`.

    `auto` means a GPU where any worker has one, and `cpu` the machines without, where there are any. The profile says
    how many such machines work.
    """
    alive = session.connection().execute(_ALIVE[device]).all()
    if not alive:
        return fallback
    # Not their processes: one that was killed seems alive until its last beat is too old, beside its successor.
    machines = {host_of(worker.holder) for worker in alive if worker.gpu == alive[0].gpu}
    row = session.scalar(select(Worker.profile).where(Worker.holder == alive[0].holder))
    try:
        profile = Profile.model_validate(row)
    except ValidationError:  # of a worker of another version, or of one that has just signed off
        return fallback
    return profile.model_copy(update={"machines": len(machines)})


class Heartbeat:
    """Beats from a thread of its own for as long as the process lives."""

    def __init__(
        self,
        database: Database,
        capabilities: WorkerCapabilities,
        profile: Profile | None,
        asked_to_leave: Callable[[], None] = lambda: None,
        files: str = "",
    ) -> None:
        """`profile` is the machine's, where it is known; `files` the name of the file store that it sees, likewise.

        `asked_to_leave` is called at each beat from the one on that finds this process to be drained, in the thread.
        """
        self._asked_to_leave = asked_to_leave
        self._draining = False
        self._database = database
        self._capabilities = capabilities
        self._profile = profile
        self._files = files
        self._holder = this_process()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop beating, and remove this process from the table of workers."""
        self._closed.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()
        with self._database.transaction() as session:
            session.execute(delete(Worker).where(Worker.holder == self._holder))

    def _run(self) -> None:
        while True:
            try:
                self._beat()
            except (SQLAlchemyError, StorageFull) as error:  # a worker may come up before its database does
                log.warning("no heartbeat could be written: %s", error)
            if self._draining:
                self._asked_to_leave()
            if self._closed.wait(BEAT):
                return

    def _beat(self) -> None:
        with self._database.transaction() as session:
            if not self._draining and not is_current(session):
                log.error("the database was upgraded: this process gives back what it trains; update initlab here")
                self._draining = True
            mine = update(Worker).where(Worker.holder == self._holder)
            if self._draining:  # once seen it holds, whatever becomes of the row
                mine = mine.values(draining=True)
            seen = session.execute(mine.values(last_seen=now()).returning(Worker.draining)).one_or_none()
            if seen is not None:
                self._draining = seen.draining
            else:
                profile = self._profile.model_dump(mode="json") if self._profile else None
                seen_at = session.scalar(select(now()))
                devices, queues = ",".join(self._capabilities.devices), ",".join(self._capabilities.queues)
                session.add(
                    Worker(
                        holder=self._holder,
                        last_seen=seen_at,
                        profile=profile,
                        devices=devices,
                        queues=queues,
                        version=version("initlab"),
                        plugins={name: pin.model_dump() for name, pin in self._capabilities.plugins.items()} or None,
                        draining=self._draining,
                        files=self._files,
                    )
                )
