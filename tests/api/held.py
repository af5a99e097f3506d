"""Processes of a pool that are all taken, for as long as a test wants."""

import os
import select
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.deps import Service
from api.pool import JobPool


def service_of(client: TestClient) -> Service:
    """Return the parts of a client's application."""
    app = client.app
    assert isinstance(app, FastAPI)
    service: Service = app.state.service
    return service


def hold(pipe: Path) -> None:
    """Open a named pipe, and read it to its end."""
    with pipe.open("rb", buffering=0) as end:
        select.select([end], [], [])


@contextmanager
def held(client: TestClient, pool: JobPool, folder: Path) -> Iterator[None]:
    """Take all processes of a pool, until the end of the block."""
    assert client.portal is not None
    with ExitStack() as stack:
        for i in range(pool.processes):
            pipe = folder / f"pipe{i}"
            os.mkfifo(pipe)
            client.portal.start_task_soon(pool.run, 60.0, hold, pipe)
            stack.enter_context(pipe.open("wb"))  # which waits until it is read
        yield
