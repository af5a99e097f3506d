"""A worker that ends by itself: when it has been idle for long, or before its machine is taken away."""

import argparse
import logging
import math
import mmap
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
from celery.signals import worker_ready
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from core.experiments.cohorts.process_ids import host_of, process_of, this_process
from core.logs import set_up
from core.settings import Settings, settings
from core.store import Database, StorageFull, Worker

log = logging.getLogger(__name__)

PATIENCE = 75.0
"""Seconds for children that were asked to leave: their next heartbeat, their last update, and their checkpoint."""
BEAT = 5.0
"""Seconds between two times of asking: children look that often."""
LOOK = 0.5
"""Seconds between two looks at the clock."""
_UNITS = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0}


def seconds_of(text: str) -> float:
    """Return the seconds of a duration such as `90s`, `5m`, `3h50m` or `1d12h`."""
    parts = re.findall(r"(\d+(?:\.\d+)?)([dhms])", text)
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not parts or "".join(number + unit for number, unit in parts) != text or seconds <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration: 90s, 5m, 3h50m, 1d12h")
    return seconds


class Activity:
    """When each child last trained, in shared memory: the parent sees none of it. Made before the fork.

    One that has not begun counts as at work.
    """

    def __init__(self, children: int) -> None:
        self._last = memoryview(mmap.mmap(-1, 8 * max(1, children))).cast("d")
        for child in range(len(self._last)):
            self._last[child] = math.inf  # until it has begun: to import torch is no idleness

    @contextmanager
    def looking(self, child: int) -> Iterator[list[int]]:
        """Let a child look for work, and train; the list is for the number of cohorts that it took.

        It counts as at work meanwhile, and afterwards as idle since it last took one.
        """
        before, taken = self._last[child], list[int]()
        self._last[child] = math.inf
        try:
            yield taken
        finally:
            self._last[child] = time.monotonic() if any(taken) else before

    def began(self, child: int) -> None:
        """Note that a child is ready for work, be it the first in its place or one after another that was killed."""
        if math.isinf(self._last[child]):
            self._last[child] = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """Seconds since any child last trained; 0 while one does."""
        last = max(self._last)
        return 0.0 if math.isinf(last) else time.monotonic() - last


@dataclass(frozen=True, kw_only=True)
class Leave:
    """When a worker ends by itself."""

    idle: float | None
    """Seconds without any training."""
    until: float | None
    """Seconds since its start."""


def leave_in_time(when: Leave, activity: Activity) -> None:
    """Watch the clock from a thread, and have this worker end in order when it is time, as by a signal.

    The thread begins when the worker is ready: its children were forked then, and signals are heard.
    """
    end = math.inf if when.until is None else time.monotonic() + when.until
    watch = threading.Thread(target=_watch, args=(when, end, activity), name="leaving", daemon=True)
    if when.idle is not None or when.until is not None:
        worker_ready.connect(lambda **_: watch.start(), weak=False)


def _watch(when: Leave, end: float, activity: Activity) -> None:
    idle = math.inf if when.idle is None else when.idle
    while time.monotonic() < end:
        if activity.idle_seconds >= idle:
            log.info("idle for %.0f s: this worker ends", idle)
            os.kill(os.getpid(), signal.SIGTERM)
            return
        time.sleep(LOOK)
    log.info("it is time: this worker gives back what it trains, and ends")
    given_up = time.monotonic() + PATIENCE
    while time.monotonic() < given_up:  # the last child ends this process when it has given back what it trained
        # By another process: a child that is forked meanwhile would inherit whatever lock this thread holds. And again:
        # a child may have begun just now.
        asked = subprocess.run([sys.executable, "-m", "worker.leaving", str(os.getpid())])
        if asked.returncode:
            break
        time.sleep(BEAT)
    os.kill(os.getpid(), signal.SIGTERM)


def _drain_children(worker: int, settings: Settings) -> None:
    """Ask the training processes of a worker of this host to leave, as `POST /workers/{name}/drain` does."""
    pids = {worker, *(child.pid for child in psutil.Process(worker).children())}
    host = host_of(this_process())
    database = Database(settings.database, pool_size=1)
    try:
        with database.transaction() as session:
            holders = session.scalars(select(Worker.holder)).all()
            mine = [one for one in holders if host_of(one) == host and process_of(one) in pids]
            session.execute(update(Worker).where(Worker.holder.in_(mine), ~Worker.draining).values(draining=True))
    finally:
        database.dispose()


def main() -> int:
    """Ask the children of the worker with this id to leave; return 0, or 2 with the reason on stderr."""
    set_up("worker", settings())
    try:
        _drain_children(int(sys.argv[1]), settings())
    except (SQLAlchemyError, StorageFull, psutil.NoSuchProcess) as error:
        log.warning("the children cannot be asked over the database: %s", error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
