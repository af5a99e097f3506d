"""A thousand workers on one PostgreSQL, simulated: they claim, write and renew as real ones do, and train nothing.

`python bench/scale.py [--workers 50 200 1000] [--seconds 40]` fills a database with cohorts,
and has processes play the workers with the functions of the service: each claims a cohort, stores what an update of it
measures, or asks whether it is to stop, a pause after the time before, renews its lease with that, beats every 5 s, and
ends the cohort when it has held it long enough. Sweeps and an API's reading go on beside them. A worker has no
connection of its own: they share some, as through a pooler. It writes bench/records/scale.json.
"""

import argparse
import heapq
import multiprocessing
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil
import record
from sqlalchemy import insert, make_url, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from store import new_database

from core.experiments.cohorts.claims import Claim, anything_queued, claim
from core.experiments.cohorts.eligibility import WorkerCapabilities
from core.experiments.cohorts.heartbeat import BEAT, is_draining
from core.experiments.cohorts.leases import Flush, end, flush, poll_requests, renew
from core.experiments.maintenance.sweeper import sweep
from core.experiments.worker.recorder import TICK, pause_after
from core.store import Cohort, Database, Status, Worker, is_current, metric_blocks, now, upgrade
from tests.core.experiments.claims import queued

WORKERS = (50, 200, 1000)
HELD = 20.0
"""Seconds for which a cohort trains: 50 claims and ends a second with 1,000 workers."""
LEASE = 30.0
UPDATES = 100
"""That a run makes in a second, each with a loss and a rate."""
ABLE = WorkerCapabilities(devices=("auto", "cpu"), queues=("cpu",))
COHORTS_EACH = 50
"""Cohorts of an experiment, of two runs."""
PROCESSES, CONNECTIONS = 4, 8
"""Processes that play workers, and the connections of each."""


class Done(NamedTuple):
    """One operation: what, the seconds that it took, and those that it began late."""

    what: str
    took: float
    late: float


class Played:
    """One worker that is played."""

    def __init__(self, holder: str) -> None:
        self.holder = holder
        self.held: Claim | None = None
        self.since = self.stored = self.beat = 0.0
        self.step = 0

    def act(self, database: Database) -> str:
        """Do what is due; returns what that was."""
        at = time.monotonic()
        if at - self.beat > BEAT:
            self.beat = at
            return self._beat(database)
        if self.held is None:
            return self._claim(database, at)
        if at - self.since > HELD:
            return self._end(database)
        return self._store(database, at)

    def _beat(self, database: Database) -> str:
        with database.transaction() as session:
            is_current(session)
            session.execute(update(Worker).where(Worker.holder == self.holder).values(last_seen=now()))
        return "heartbeat"

    def _claim(self, database: Database, at: float) -> str:
        with database.reading() as session:
            is_current(session)
            is_draining(session, self.holder)
            anything_queued(session, ABLE)
        with database.transaction() as session:
            self.held = claim(session, self.holder, ABLE, LEASE)
        self.since = self.stored = at
        self.step = 0
        return "nothing to claim" if self.held is None else "claim"

    def _store(self, database: Database, at: float) -> str:
        assert self.held is not None
        n = int((at - self.stored) * UPDATES)
        if n == 0:
            with database.reading() as session:
                poll_requests(session, self.held)
            return "poll"
        what = Flush(step=self.step + n)
        for lane in self.held.lanes:
            for metric in ("train_loss", "lr"):
                values = np.linspace(0, 1, n, dtype="<f4")
                what.blocks.append(metric_blocks.encode(lane.run, metric, self.step, values))
        with database.transaction() as session:
            renew(session, self.held, LEASE)
            flush(session, self.held, what)
        self.stored, self.step = at, self.step + n
        return "store"

    def _end(self, database: Database) -> str:
        assert self.held is not None
        with database.transaction() as session:
            renew(session, self.held, LEASE)
            end(session, self.held, Status.SUCCEEDED)
        self.held = None
        return "end"


def play(url: str, first: int, workers: int, seconds: float, results: "Queue[list[Done]]", over: "Event") -> None:
    """Play some workers in this process, each operation by the next free connection; these stay until it is over."""
    database = Database(url, pool_size=CONNECTIONS)
    begin = time.monotonic()
    due = [(begin + TICK * i / workers, i, Played(f"host-{first + i}/1/0")) for i in range(workers)]
    lock, done = threading.Lock(), list[Done]()

    def run() -> None:
        while (at := time.monotonic()) < begin + seconds:
            with lock:
                when, i, worker = heapq.heappop(due) if due else (at + TICK, -1, None)
            time.sleep(max(0.0, min(when, begin + seconds) - time.monotonic()))
            if worker is None:
                continue
            began = time.monotonic()
            try:
                what = worker.act(database)
            except SQLAlchemyError as error:
                what = f"error: {type(error).__name__}"
            took = time.monotonic() - began
            with lock:
                done.append(Done(what, took, began - when))
                heapq.heappush(due, (time.monotonic() + pause_after(took), i, worker))

    threads = [threading.Thread(target=run) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(done)
    over.wait()
    database.dispose()


@contextmanager
def watched(database: Database, found: dict[str, Any]) -> Iterator[None]:
    """Sweep once a second, and look at who waits for a lock, until the end."""
    over, sweeps, waits = threading.Event(), list[float](), list[int]()
    blocked = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )

    def sweeping() -> None:
        while not over.wait(1.0):
            began = time.monotonic()
            sweep(database, 2.0)
            sweeps.append(time.monotonic() - began)

    def looking() -> None:
        while not over.wait(0.25):
            with database.reading() as session:
                waits.append(session.scalar(blocked) or 0)

    threads = [threading.Thread(target=one) for one in (sweeping, looking)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
        found |= {
            "sweep_ms": _row(sweeps),
            "waiting_for_a_lock": {"mean": round(float(np.mean(waits)), 2), "most": max(waits)},
        }


def measure(url: str, workers: int, seconds: float) -> dict[str, Any]:
    """Return what so many workers did in some seconds, and what it cost the server."""
    database = Database(url)
    needed = int(workers * (seconds / HELD + 2) / COHORTS_EACH) + 1
    for _ in range(needed):
        queued(database, cohorts=COHORTS_EACH)
    with database.transaction() as session:
        holders = [{"holder": f"host-{i}/1/0", "devices": "auto,cpu", "queues": "cpu"} for i in range(workers)]
        session.execute(insert(Worker).values(last_seen=now(), version="simulated", draining=False), holders)
    context = multiprocessing.get_context("spawn")
    results: Queue[list[Done]] = context.Queue()
    over = context.Event()
    shares = [workers // PROCESSES + (i < workers % PROCESSES) for i in range(PROCESSES)]
    players = [
        context.Process(target=play, args=(url, sum(shares[:i]), share, seconds, results, over))
        for i, share in enumerate(shares)
    ]
    found: dict[str, Any] = {"workers": workers, "seconds": seconds}
    server = partial(_server_seconds, make_url(url).database or "")
    before = server()
    with watched(database, found):
        for player in players:
            player.start()
        done = [one for _ in players for one in results.get()]
        spent = server() - before  # while their connections, and so the server's processes, are still there
        over.set()
        for player in players:
            player.join()
    with database.reading() as session:
        found["running"] = session.scalar(
            select(text("count(*)")).select_from(Cohort).where(Cohort.status == "running")
        )
    database.dispose()
    return found | _summary(done, seconds) | {"server_cpu_cores": round(spent / seconds, 2)}


def _summary(done: list[Done], seconds: float) -> dict[str, Any]:
    took: dict[str, list[float]] = defaultdict(list)
    for one in done:
        took[one.what].append(one.took)
    counts = Counter(one.what for one in done)
    return {
        "a_second": {what: round(times / seconds, 1) for what, times in sorted(counts.items())},
        "ms": {what: _row(times) for what, times in sorted(took.items())},
        "late_ms": _row([one.late for one in done]),
    }


def _row(seconds: list[float]) -> dict[str, float]:
    if not seconds:
        return {}
    return {f"p{q}": round(float(np.percentile(seconds, q)) * 1e3, 1) for q in (50, 95, 100)}


def _server_seconds(database: str) -> float:
    """Return the processor seconds of the server's processes for a database, where it runs on this machine."""
    total = 0.0
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] == "postgres" and database in " ".join(process.info["cmdline"] or []):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--workers", type=int, nargs="+", default=WORKERS)
    arguments.add_argument("--seconds", type=float, default=40.0, help="for each number of workers")
    given = arguments.parse_args()
    rows = []
    for workers in given.workers:
        with tempfile.TemporaryDirectory() as folder, new_database("postgresql", Path(folder)) as url:
            made = Database(url)
            upgrade(made.engine)
            made.dispose()
            rows.append(measure(url, workers, given.seconds))
        print(rows[-1], flush=True)
    settings: dict[str, Any] = {
        "processes": PROCESSES,
        "connections": PROCESSES * CONNECTIONS,
        "held_s": HELD,
        "updates_a_second": UPDATES,
    }
    record.write("scale", **settings, rows=rows)


if __name__ == "__main__":
    main()
