"""How long listeners wait for events: many on one experiment, while its points are stored.

`python bench/listeners.py [--listeners 500]` starts an API of its own on SQLite, one on PostgreSQL, and two that share
the listeners there. It stores points twice a second as a worker does, and prints the seconds to each listener's first
event, from a commit to its receipt, and what the API took that took most. All connect at once. The client is in a
process of its own, on the same machine, so its work counts too.
"""

import argparse
import asyncio
import re
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import record
from alone import api
from store import new_database

from core.experiments.cohorts.leases import Flush, flush, renew
from core.store import Database, metric_blocks, upgrade
from tests.core.experiments.claims import queued, taken

COMMITS, BETWEEN, POINTS = 40, 0.5, 10
TO_REACH = {"first_event_s": 1.0, "commit_to_receipt_s": 1.0}
"""Seconds, of the slowest twentieth."""
BACKLOG = 2_000
"""Updates of both runs that are stored before anybody listens."""


class Measured:
    """The times of commits by their first update, and of what was received of them."""

    def __init__(self) -> None:
        self.committed: dict[int, float] = {}
        self.received: list[tuple[int, float]] = []
        self.first: list[float] = []
        self.connecting = 0.0
        """CPU seconds of the APIs until every listener had its first event."""

    def waited(self) -> list[float]:
        """Return the seconds from each commit to its receipt by each listener."""
        return [max(0.0, at - self.committed[first]) for first, at in self.received]


async def listen(port: int, measured: Measured) -> None:
    """Note when each event of new points comes, until all have."""
    begin = time.time()
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    path = "/experiments/1/events?metric=train_loss"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    last = -1
    waiting = True
    while last < BACKLOG + (COMMITS - 1) * POINTS:
        line = await reader.readline()
        if not line:
            raise SystemExit("a stream ended early")
        if line.startswith(b"data:"):
            here = time.time()
            if waiting:
                measured.first.append(here - begin)
                waiting = False
            found = re.search(rb'"first": (\d+), "every": \d+, "values": \[([^]]*)', line)
            if found is not None:
                begins, points = int(found[1]), found[2].count(b",") + 1
                for first in range(max(begins, last + 1), begins + points):
                    if first in measured.committed or (first >= BACKLOG and first % POINTS == 0):
                        measured.received.append((first, here))
                last = max(last, begins + points - 1)
    writer.close()


def store(database: Database, held: Any, first: int, points: int) -> None:
    """Store points of both runs in one transaction, as a worker does."""
    what = Flush(step=first + points)
    values = np.arange(first, first + points, dtype="<f8")
    what.blocks = [metric_blocks.encode(lane.run, "train_loss", first, values, 1) for lane in held.lanes]
    with database.transaction() as session:
        renew(session, held, 3600)
        flush(session, held, what)


async def measure(
    database: Database, held: Any, ports: Sequence[int], listeners: int, processes: Sequence[psutil.Process]
) -> Measured:
    """Have listeners connect, store points, and wait until each has all of them."""
    measured = Measured()
    before = sum(map(_cpu, processes))
    everybody = [asyncio.create_task(listen(ports[i % len(ports)], measured)) for i in range(listeners)]
    while len(measured.first) < listeners:
        await asyncio.sleep(0.1)
    measured.connecting = sum(map(_cpu, processes)) - before
    for i in range(COMMITS):
        first = BACKLOG + i * POINTS
        await asyncio.to_thread(store, database, held, first, POINTS)
        measured.committed[first] = time.time()
        await asyncio.sleep(BETWEEN)
    await asyncio.wait_for(asyncio.gather(*everybody), 120)
    return measured


def listened(kind: str, apis: int, listeners: int) -> dict[str, Any]:
    """Return the row of a database and so many APIs, among which the listeners are dealt out."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(new_database(kind, folder))
        database = Database(url)
        upgrade(database.engine)
        queued(database)
        held = taken(database, lease=3600)
        store(database, held, 0, BACKLOG)
        ports, processes = zip(*[stack.enter_context(api(url, folder)) for _ in range(apis)], strict=True)
        for port in ports:  # what a start makes in the background, it has made then
            urllib.request.urlopen(f"http://127.0.0.1:{port}/openapi.json").close()
        memory = [process.memory_info().rss for process in processes]
        begin, before = time.time(), [_cpu(process) for process in processes]
        measured = asyncio.run(measure(database, held, ports, listeners, processes))
        seconds = time.time() - begin
        row = {
            "apis": apis,
            "listeners": listeners,
            "first_event_s": _percentiles(measured.first),
            "commit_to_receipt_s": _percentiles(measured.waited()),
            "connecting_api_cpu_s": round(measured.connecting, 2),
            "api_cpu_share": round(max(_cpu(p) - was for p, was in zip(processes, before, strict=True)) / seconds, 3),
            "api_memory_mb": round(
                max(p.memory_info().rss - m for p, m in zip(processes, memory, strict=True)) / 2**20, 1
            ),
            "api_threads": max(process.num_threads() for process in processes),
        }
        database.dispose()
    assert len(measured.received) >= listeners * COMMITS, "an event is missing"
    return row


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--listeners", type=int, default=500)
    given = arguments.parse_args()
    rows = {}
    for kind, apis in (("sqlite", 1), ("postgresql", 1), ("postgresql", 2)):
        name = f"{kind}, {apis} API{'s' * (apis > 1)}"
        print(name)
        rows[name] = listened(kind, apis, given.listeners)
        for key, value in rows[name].items():
            verdict = "" if key not in TO_REACH else f"   p95 <= {TO_REACH[key]:g}: "
            reached = verdict and ("reached" if value["p95"] <= TO_REACH[key] else "MISSED")
            print(f"  {key:24} {value}{verdict}{reached}")
    record.write("listeners", commits=COMMITS, points=POINTS, backlog=BACKLOG, to_reach=TO_REACH, rows=rows)


def _percentiles(seconds: list[float]) -> dict[str, float]:
    return {f"p{p}": round(float(np.percentile(seconds, p)), 3) for p in (50, 95, 100)}


if __name__ == "__main__":
    main()
