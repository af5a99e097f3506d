"""How long listeners wait for events: many on one experiment and one API process, while its points are stored.

`python bench/listeners.py [--listeners 500] [--database URL]` starts an API of its own, stores points twice a second as
a worker does, and prints the seconds to each listener's first event, from a commit to its receipt, and what the API
took. All connect at once. The client is in a process of its own, on the same machine, so its work counts too.
"""

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import psutil
import record

from core.experiments.cohorts.leases import Flush, flush, renew
from core.store import Database, metric_blocks, upgrade
from tests.backends import free_port
from tests.core.experiments.claims import queued, taken

COMMITS, BETWEEN, POINTS = 40, 0.5, 10
BACKLOG = 2_000
"""Updates of both runs that are stored before anybody listens."""


class Measured:
    """The times of commits by their first update, and of what was received of them."""

    def __init__(self) -> None:
        self.committed: dict[int, float] = {}
        self.received: list[tuple[int, float]] = []
        self.first: list[float] = []
        self.connecting = 0.0
        """CPU seconds of the API until every listener had its first event."""


async def listen(port: int, experiment: int, measured: Measured) -> None:
    """Note when each event of new points comes, until all have."""
    begin = time.time()
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    path = f"/experiments/{experiment}/events?metric=train_loss"
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
    database: Database, held: Any, port: int, experiment: int, listeners: int, process: psutil.Process
) -> Measured:
    measured = Measured()
    before = process.cpu_times()
    everybody = [asyncio.create_task(listen(port, experiment, measured)) for _ in range(listeners)]
    while len(measured.first) < listeners:
        await asyncio.sleep(0.1)
    after = process.cpu_times()
    measured.connecting = after.user + after.system - before.user - before.system
    for i in range(COMMITS):
        first = BACKLOG + i * POINTS
        await asyncio.to_thread(store, database, held, first, POINTS)
        measured.committed[first] = time.time()
        await asyncio.sleep(BETWEEN)
    await asyncio.wait_for(asyncio.gather(*everybody), 120)
    return measured


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--listeners", type=int, default=500)
    arguments.add_argument("--database", default="", help="of PostgreSQL, empty; SQLite without")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = given.database or f"sqlite:///{Path(folder) / 'initlab.sqlite'}"
        database = Database(url)
        upgrade(database.engine)
        experiment = queued(database)
        held = taken(database, lease=3600)
        store(database, held, 0, BACKLOG)
        port = free_port()
        environment = os.environ | {"INITLAB_DATA_DIR": folder, "INITLAB_DATABASE_URL": url}
        command = [sys.executable, "-m", "api", "--port", str(port)]
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as api:
            try:
                process = _ready(api, port)
                before, memory = process.cpu_times(), process.memory_info().rss
                begin = time.time()
                measured = asyncio.run(measure(database, held, port, experiment, given.listeners, process))
                seconds = time.time() - begin
                after = process.cpu_times()
                more = process.memory_info().rss - memory
                threads = process.num_threads()
            finally:
                api.terminate()
        database.dispose()
    waited = [max(0.0, at - measured.committed[first]) for first, at in measured.received]
    assert len(waited) >= given.listeners * COMMITS, "an event is missing"
    row = {
        "database": "postgresql" if given.database else "sqlite",
        "listeners": given.listeners,
        "first_event_s": _percentiles(measured.first),
        "commit_to_receipt_s": _percentiles(waited),
        "connecting_api_cpu_s": round(measured.connecting, 2),
        "api_cpu_share": round((after.user + after.system - before.user - before.system) / seconds, 3),
        "api_memory_mb": round(more / 2**20, 1),
        "api_threads": threads,
    }
    for name, value in row.items():
        print(f"{name:24s} {value}")
    record.write(f"listeners-{row['database']}", commits=COMMITS, points=POINTS, backlog=BACKLOG, **row)


def _ready(api: subprocess.Popen[bytes], port: int) -> psutil.Process:
    """Wait until the API answers."""
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
        except (URLError, OSError):
            if api.poll() is not None:
                raise SystemExit("the API did not start") from None
            time.sleep(0.1)
        else:
            return psutil.Process(api.pid)
    raise SystemExit("the API was not ready within a minute")


def _percentiles(seconds: list[float]) -> dict[str, float]:
    return {f"p{p}": round(float(np.percentile(seconds, p)), 3) for p in (50, 95, 100)}


if __name__ == "__main__":
    main()
