"""The service that most tests do their harm to, on each backend: whatever a test does to it, it recovers."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.backends import postgres_database, redis_server
from tests.scheduling import BACKENDS
from tests.service.running import Running, running

LEASE = 5.0
"""Seconds; by default a zombie would sleep for half a minute."""


@pytest.fixture(scope="package", params=BACKENDS)
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Yield the environment of a service on each database and each broker.

    No fault of a database depends on the broker, nor the other way round: `make soak` has the third pair too.
    """
    folder = tmp_path_factory.mktemp("backend")
    environment = {"INITLAB_DATA_DIR": str(folder / "data")}
    with ExitStack() as servers:
        if "postgresql" in request.param:
            server = request.getfixturevalue("postgres_server")
            environment["INITLAB_DATABASE_URL"] = servers.enter_context(postgres_database(server))
        if "redis" in request.param:
            environment["INITLAB_BROKER_URL"] = servers.enter_context(redis_server(folder))
        yield environment


@pytest.fixture(scope="package")
def service(backend: dict[str, str]) -> Iterator[Running]:
    """Yield one service for all files that have none of their own: its start costs more than most tests."""
    log = Path(backend["INITLAB_DATA_DIR"] + ".log")
    with running(backend | {"INITLAB_LEASE_SECONDS": str(LEASE)}, log) as service:
        yield service
