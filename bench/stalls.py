"""How soon others are answered while each request that once stalled the service is thrown at it, many times at once.

`python bench/stalls.py [--only NAME]... [--database URL]` starts the service on SQLite (or that empty PostgreSQL
database), and while each row of `hostile.REQUESTS`, and 300 half-open connections, are in flight it asks every 20 ms
for `/healthz` and for an experiment, at most 10 s a row. Milliseconds, and the memory of all the service's processes,
are printed, and kept in bench/records/stalls.json. Experiments of `seeded` that rows need are put into the database.
"""

import argparse
import os
import socket
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any

import httpx2 as httpx
import psutil
import record
import seeded
import served
from hostile import REQUESTS, Request, sent

EVERY, LONGEST, LEAST = 0.02, 10.0, 100
HALF_OPEN = 300
TO_REACH = {"healthz": 50.0, "experiment": 100.0}
SPEC = {"dataset": "digits", "model": {"name": "mlp", "hidden": [32]}, "seeds": 5, "batch_size": 144, "epochs": 100}


def asked() -> argparse.Namespace:
    """The command line."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    rows = ("nothing", "half-open connections", *REQUESTS)
    arguments.add_argument("--only", action="append", choices=rows, help="a row; may be repeated (default: all)")
    arguments.add_argument("--database", default="", help="a SQLAlchemy URL (default: SQLite)")
    given = arguments.parse_args()
    given.only = given.only or rows
    return given


def quantiles(times: list[float]) -> dict[str, Any]:
    """Milliseconds of the median, of the slowest in 100, and of the slowest."""
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    found = {"p50": cuts[49], "p99": cuts[98], "max": max(times)}
    return {name: round(1e3 * seconds, 1) for name, seconds in found.items()} | {"n": len(times)}


def watched(url: str, paths: dict[str, str], is_over: Callable[[], bool]) -> dict[str, Any]:
    """Ask for each path every 20 ms until it is over, or has taken long enough; 100 times at least.

    A question that is due while the one before it waits is asked right after: beside a row, look at `nothing`.
    """
    found: dict[str, list[float]] = {}

    def ask(name: str, path: str) -> None:
        times = found[name] = []
        begin = due = time.perf_counter()
        with httpx.Client(base_url=url, timeout=60) as client:
            while (due - begin < LONGEST and not is_over()) or len(times) < LEAST:
                time.sleep(max(0.0, due - time.perf_counter()))
                asked_at = time.perf_counter()
                assert client.get(path).status_code == 200
                times.append(time.perf_counter() - asked_at)
                due = max(due + EVERY, time.perf_counter())

    threads = [threading.Thread(target=ask, args=one) for one in paths.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {name: quantiles(times) for name, times in found.items()}


def throw(url: str, request: Request, experiment: int, paths: dict[str, str]) -> dict[str, Any]:
    """Throw a request so many times at once, and watch the paths meanwhile."""
    given = sent(request, experiment)
    begin = time.perf_counter()

    def once(_: int) -> int:
        with httpx.Client(base_url=url, timeout=300) as client:
            return int(client.request(**given).status_code)

    with ThreadPoolExecutor(request.times) as threads:
        thrown = [threads.submit(once, i) for i in range(request.times)]
        found = watched(url, paths, lambda: all(one.done() for one in thrown))
        wait(thrown)
    answers = [one.result() for one in thrown]
    counted = {str(status): answers.count(status) for status in sorted(set(answers))}
    return found | {"answers": counted, "seconds": round(time.perf_counter() - begin, 1)}


def half_open(url: str, paths: dict[str, str]) -> dict[str, Any]:
    """Hold connections that have sent half a header, and watch the paths meanwhile."""
    at = httpx.URL(url)
    held = [socket.create_connection((at.host, at.port or 80)) for _ in range(HALF_OPEN)]
    for one in held:
        one.sendall(b"GET / HTTP/1.1\r\n")
    try:
        return watched(url, paths, lambda: False)
    finally:
        for one in held:
            one.close()


def memory(port: int) -> int:
    """Return the megabytes of the processes of the service that listens there, what they share counted once."""
    open_ = [one for one in psutil.net_connections("tcp") if one.status == "LISTEN"]
    (mine,) = {one.pid for one in open_ if getattr(one.laddr, "port", None) == port}
    root = psutil.Process(mine)
    while (parent := root.parent()) is not None and parent.pid != os.getpid():
        root = parent
    found = 0
    for one in [root, *root.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            found += one.memory_full_info().pss
    return found // 2**20


def main() -> None:
    """Measure and keep the asked rows."""
    given = asked()
    rows = {}
    with served.running_on(given.database) as (client, settings):
        experiment = client.submit(SPEC)
        experiment.wait()
        url, paths = client.url, {"healthz": "/healthz", "experiment": f"/experiments/{experiment.id}"}
        ids = {"": experiment.id}
        for name in given.only:
            if name == "nothing":
                found = watched(url, paths, lambda: False)
            elif name == "half-open connections":
                found = half_open(url, paths)
            else:
                request = REQUESTS[name]()
                if request.of not in ids:
                    ids[request.of] = seeded.ended(settings, getattr(seeded, request.of))
                found = throw(url, request, ids[request.of], paths)
            found["megabytes"] = memory(httpx.URL(url).port or 80)
            rows[name] = found
            late = [path for path, most in TO_REACH.items() if found[path]["p99"] > most]
            told = {key: value for key, value in found.items() if key not in TO_REACH}
            print(f"{name:36}", *(f"{path} {found[path]}" for path in TO_REACH), told, "LATE" * bool(late), flush=True)
    database = "postgresql" if given.database else "sqlite"
    record.write(
        "stalls" if database == "sqlite" else "stalls-postgresql",
        database=database,
        unit="ms",
        to_reach={f"p99 of {path}": most for path, most in TO_REACH.items()},
        thrown_at_once={name: REQUESTS[name]().times if name in REQUESTS else 1 for name in rows},
        rows=rows,
    )


if __name__ == "__main__":
    main()
