"""A minute in which everything fails, and nothing is lost, nothing is done twice, no number is wrong."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.backends import RedisServer, postgres_database
from tests.service.chaos import HARMS, Chaos
from tests.service.proxies import Proxy
from tests.service.running import running

pytestmark = [pytest.mark.service, pytest.mark.timeout(600)]

BACKENDS = ("sqlite+filesystem", "sqlite+redis", "postgresql+redis")
LEASE = 2.0
SECONDS = 30


@contextmanager
def chaos(backend: str, folder: Path, postgres_server: str, seed: int) -> Iterator[Chaos]:
    """A service on that backend, ready to be harmed."""
    environment = {"INITLAB_DATA_DIR": str(folder / "data"), "INITLAB_LEASE_SECONDS": str(LEASE)}
    broker = proxy = None
    with ExitStack() as stack:
        if "postgresql" in backend:
            url = urlsplit(stack.enter_context(postgres_database(postgres_server)))
            proxy = Proxy((url.hostname or "127.0.0.1", url.port or 5432))
            stack.callback(proxy.close)
            through = url._replace(netloc=f"{url.netloc.rpartition('@')[0]}@127.0.0.1:{proxy.port}")
            environment["INITLAB_DATABASE_URL"] = f"{through.geturl()}?sslmode=disable"
        if "redis" in backend:
            broker = RedisServer(folder)
            broker.start()
            stack.callback(broker.kill)
            environment["INITLAB_BROKER_URL"] = broker.url
        service = stack.enter_context(running(environment, folder / "log"))
        yield Chaos(service, LEASE, seed, broker, proxy)


@pytest.mark.thorough
@pytest.mark.parametrize("backend", [BACKENDS[0], BACKENDS[2]])  # the soak has all
def test_chaos_loses_nothing_and_does_nothing_twice(backend: str, postgres_server: str, tmp_path: Path) -> None:
    with chaos(backend, tmp_path, postgres_server, seed=len(backend)) as harmed:
        outcome = harmed.run(SECONDS)
    assert outcome.wrong == []
    assert outcome.accepted > 0
    assert outcome.harm.total() >= HARMS
    assert outcome.points > 0
