"""Requests at a steady rate, whether or not the ones before are answered, and the time each took since it was due."""

import asyncio
import gc
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

CONNECTIONS = 64
"""That are kept open: a request that is due while all wait, waits too, and its wait counts."""


class Sent(NamedTuple):
    """One request, and the statuses that are right for it."""

    method: str
    path: str
    body: bytes = b""
    headers: Sequence[tuple[str, str]] = ()


class Loaded(NamedTuple):
    """Seconds that each request took since it was due, in their order, and how many were not answered with 2xx."""

    seconds: list[float]
    refused: int

    def row(self) -> dict[str, Any]:
        """Return milliseconds of the median, the slowest in 20, in 100, and the slowest."""
        cuts = {f"p{p}": round(1e3 * float(np.percentile(self.seconds, p)), 1) for p in (50, 95, 99, 100)}
        return cuts | {"n": len(self.seconds), "refused": self.refused}


def load(port: int, make: Callable[[int], Sent], rate: float, seconds: float) -> Loaded:
    """Send `make(0)`, `make(1)`, ... so many a second, and return how long each took."""
    gc.freeze()  # a collection that walks all that a benchmark imports takes a tenth of a second, in mid answer
    return asyncio.run(_load(port, make, rate, int(rate * seconds)))


def one_by_one(port: int, requests: Sequence[Sent]) -> Loaded:
    """Send requests one after another on one connection."""
    return asyncio.run(_one_by_one(port, requests))


async def _load(port: int, make: Callable[[int], Sent], rate: float, number: int) -> Loaded:
    idle: asyncio.Queue[_Connection] = asyncio.Queue()
    every = [_Connection(port) for _ in range(CONNECTIONS)]
    for one in every:
        await one.open()
        idle.put_nowait(one)
    begin = time.perf_counter() + 0.1
    seconds = [0.0] * number
    refused = 0

    async def send(i: int) -> None:
        nonlocal refused
        due = begin + i / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        connection = await idle.get()
        try:
            status, _ = await connection.ask(make(i))
        finally:
            idle.put_nowait(connection)
        seconds[i] = time.perf_counter() - due
        refused += not 200 <= status < 300

    await asyncio.gather(*(send(i) for i in range(number)))
    for one in every:
        one.close()
    return Loaded(seconds, refused)


async def _one_by_one(port: int, requests: Sequence[Sent]) -> Loaded:
    connection = _Connection(port)
    await connection.open()
    seconds, refused = [], 0
    for request in requests:
        begin = time.perf_counter()
        status, _ = await connection.ask(request)
        seconds.append(time.perf_counter() - begin)
        refused += not 200 <= status < 300
    connection.close()
    return Loaded(seconds, refused)


class _Connection:
    """A connection that is kept: a client of a few lines, as its work is on the machine that is measured."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**24)

    def close(self) -> None:
        self._writer.close()

    async def ask(self, request: Sent) -> tuple[int, bytes]:
        """Return the status and the body."""
        try:
            return await self._ask(request)
        except (asyncio.IncompleteReadError, ConnectionError):  # the server closed it while it was idle
            self.close()
            await self.open()
            return await self._ask(request)

    async def _ask(self, request: Sent) -> tuple[int, bytes]:
        lines = [f"{request.method} {request.path} HTTP/1.1", f"Host: 127.0.0.1:{self._port}"]
        lines += [f"{name}: {value}" for name, value in request.headers]
        if request.body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(request.body)}"]
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + request.body)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        status = int(head.split(" ", 2)[1])
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        if fields.get("transfer-encoding") == "chunked":
            return status, await self._chunks()
        return status, await self._reader.readexactly(int(fields.get("content-length", 0)))

    async def _chunks(self) -> bytes:
        found = b""
        while size := int((await self._reader.readuntil(b"\r\n")).strip(), 16):
            found += await self._reader.readexactly(size)
            await self._reader.readexactly(2)
        await self._reader.readexactly(2)
        return found
