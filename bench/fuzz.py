"""Random specs thrown at the service: none may be answered by a fault of its own, or not at all, or late.

`python bench/fuzz.py [--count 50000] [--first 0] [--seed 0] [--at-once 2]` starts an API of its own, without a worker,
and sends it bodies by their numbers: one of ten to `/experiments`, whose experiments it cancels and deletes, and the
others to `/experiments/preview`, which makes the same checks. What is answered with a 5xx, or not within 60 s, is kept
as var/fuzz/NUMBER.json. It prints how many were, and how long answers took, and ends with 1 where there was any.
"""

import argparse
import asyncio
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import record
from fuzzed import Fuzzer

from core.store import Database, upgrade
from tests.backends import free_port

COUNT = 50_000
HANGS = 60.0
"""Seconds after which a request hangs: the checks of a spec may take half a minute, and then end with a 422."""
POSTED = 10
"""One of so many is stored."""
KEPT = Path("var/fuzz")


class Found:
    """What was answered."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.seconds: dict[int, float] = {}
        self.faults: list[int] = []
        self.hangs: list[int] = []


async def throw(url: str, fuzzer: Fuzzer, numbers: range, at_once: int) -> Found:
    """Send the bodies of these numbers, so many at once."""
    found, left = Found(), iter(numbers)

    async def send(client: httpx.AsyncClient) -> None:
        for number in left:
            body = fuzzer.body(number)
            path = "/experiments" if number % POSTED == 0 else "/experiments/preview"
            begin = time.perf_counter()
            try:
                answer = await _post(client, path, body)
            except httpx.TimeoutException:
                _keep(found.hangs, number, body)
                continue
            found.seconds[number] = time.perf_counter() - begin
            found.statuses[answer.status_code] += 1
            if answer.status_code >= 500:
                _keep(found.faults, number, body)
            elif answer.status_code == 202:
                here = answer.headers["Location"]
                for gone in (await client.post(f"{here}/cancel"), await client.delete(here)):
                    assert gone.status_code < 300, gone.text
            if number % 1000 == 999:
                print(f"{number + 1:,}: {dict(sorted(found.statuses.items()))}", flush=True)

    async with httpx.AsyncClient(base_url=url, timeout=HANGS) as client:
        await asyncio.gather(*(send(client) for _ in range(at_once)))
    return found


async def _post(client: httpx.AsyncClient, path: str, body: bytes) -> httpx.Response:
    """Send a body, and once more where the connection was closed: the server closes one after a fault."""
    sent = {"Content-Type": "application/json"}
    try:
        return await client.post(path, content=body, headers=sent)
    except (httpx.NetworkError, httpx.RemoteProtocolError):
        return await client.post(path, content=body, headers=sent)


def _keep(numbers: list[int], number: int, body: bytes) -> None:
    numbers.append(number)
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / f"{number}.json").write_bytes(body)


def asked() -> argparse.Namespace:
    """The command line."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--count", type=int, default=COUNT)
    arguments.add_argument("--first", type=int, default=0, help="the number of the first body")
    arguments.add_argument("--seed", type=int, default=0, help="of all bodies")
    arguments.add_argument("--at-once", type=int, default=2)
    return arguments.parse_args()


def main() -> int:
    given = asked()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'initlab.sqlite'}"
        database = Database(url)
        upgrade(database.engine)
        database.dispose()
        port = free_port()
        environment = os.environ | {
            "INITLAB_DATA_DIR": folder,
            "INITLAB_DATABASE_URL": url,
            "INITLAB_LOG_LEVEL": "warning",
        }
        with subprocess.Popen([sys.executable, "-m", "api", "--port", str(port)], env=environment) as api:
            try:
                here = f"http://127.0.0.1:{port}"
                fuzzer = Fuzzer(_document(here, api), given.seed)
                httpx.post(f"{here}/experiments/preview", json={}, timeout=60).raise_for_status()  # its processes begin
                gc.freeze()  # or a collection that walks all that is imported would count as the API's time
                begin = time.perf_counter()
                found = asyncio.run(throw(here, fuzzer, range(given.first, given.first + given.count), given.at_once))
                seconds = time.perf_counter() - begin
            finally:
                api.terminate()
    row = {
        "specs": given.count,
        "statuses": {str(status): number for status, number in sorted(found.statuses.items())},
        "answered_with_5xx": len(found.faults),
        "hangs": len(found.hangs),
        "ms": {f"p{p}": round(1e3 * float(np.percentile([*found.seconds.values()], p)), 1) for p in (50, 99, 100)},
        "seconds": round(seconds, 1),
    }
    for name, value in row.items():
        print(f"{name:18} {value}")
    slowest = sorted(found.seconds, key=found.seconds.__getitem__, reverse=True)[:5]
    print("slowest           ", ", ".join(f"{number}: {1e3 * found.seconds[number]:.0f} ms" for number in slowest))
    if found.faults or found.hangs:
        print(f"kept in {KEPT}: {sorted(found.faults + found.hangs)[:20]}")
    if given.count >= COUNT:
        record.write("fuzz", at_once=given.at_once, seed=given.seed, hangs_after_s=HANGS, **row)
    return int(bool(found.faults or found.hangs))


def _document(url: str, api: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Return the service's OpenAPI document, once it answers."""
    for _ in range(600):
        try:
            document: dict[str, Any] = httpx.get(f"{url}/openapi.json", timeout=60).raise_for_status().json()
        except httpx.TransportError:
            if api.poll() is not None:
                raise SystemExit("the API did not start") from None
            time.sleep(0.1)
        else:
            return document
    raise SystemExit("the API was not ready within a minute")


if __name__ == "__main__":
    sys.exit(main())
