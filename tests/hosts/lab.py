"""A lab of several hosts: PostgreSQL, Redis, an S3 server, APIs and workers, with nothing in common but the network."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import httpx2 as httpx

from api.keys import stored
from core.store import Database
from tests.hosts.network import Host
from tests.hosts.servers import PATIENCE, S3, Api, Postgres, Program, Redis, Server, Worker
from tests.service.running import Asking, until

LEASE = 6.0


class Lab(Asking):
    """The hosts, and clients of both APIs. `http` is the first API's, where no harm is done."""

    def __init__(self, folder: Path, apis: int, workers: int) -> None:
        self.folder = folder
        self.postgres = Postgres(Host(folder, "postgres", 2))
        self.redis = Redis(Host(folder, "redis", 3))
        self.s3 = S3(Host(folder, "s3", 4))
        shared = self.s3.server.environment | {
            "INITLAB_DATABASE_URL": self.postgres.url,
            "INITLAB_BROKER_URL": self.redis.url,
            "INITLAB_LEASE_SECONDS": str(LEASE),
            "INITLAB_TORCH_THREADS": "1",
        }
        self.apis = [Api(Host(folder, f"api-{n}", 10 + n), shared) for n in range(1, apis + 1)]
        self.workers = [Worker(Host(folder, f"worker-{n}", 20 + n), shared) for n in range(1, workers + 1)]
        self.servers: list[Server] = [self.postgres, self.redis, self.s3, *self.apis, *self.workers]
        self.key = ""

    def start(self) -> None:
        """Start all hosts, make the database and a key, and wait until all workers are seen."""
        for server in self.servers:
            if isinstance(server, Program):
                server.host.boot()
            else:
                server.boot()
        for server in (self.postgres, self.redis, self.s3):
            server.wait()
        first = self.apis[0]
        first.run("core.store", "upgrade")
        self.key = self._made_key()
        for program in (*self.apis, *self.workers):
            program.start()
        for api in self.apis:
            api.wait()
        self.http = self.client(first, PATIENCE)
        until(lambda: all(self.ready(api) for api in self.apis), PATIENCE)

    def stop(self) -> None:
        for server in reversed(self.servers):
            server.host.lose_power()

    def client(self, api: Api, seconds: float = 30) -> httpx.Client:
        """A client of one API with the key, which waits for so many seconds for an answer."""
        return httpx.Client(base_url=api.url, timeout=seconds, headers={"Authorization": f"Bearer {self.key}"})

    def ready(self, api: Api) -> bool:
        """Whether an API finds everything in order, and all workers alive, beside what some left behind."""
        try:
            answer = httpx.get(f"{api.url}/readyz", timeout=5).json()
        except (httpx.TransportError, json.JSONDecodeError):
            return False
        return bool(answer["status"] == "ready" and answer["workers"] >= len(self.workers))

    def seen(self, host: Host, since: float) -> bool:
        """Whether a worker on a host has given a sign of life since an instant."""
        with suppress(httpx.TransportError, AssertionError):
            found = [one["last_seen"] for one in self.get("/workers")["items"] if one["host"] == host.name]
            return any(datetime.fromisoformat(at).timestamp() > since for at in found)
        return False

    def _made_key(self) -> str:
        database = Database(self.postgres.url, pool_size=1)
        try:
            with database.transaction() as session:
                return stored.create(session, "lab", ["scope=admin"])
        finally:
            database.dispose()


@contextmanager
def lab(apis: int = 2, workers: int = 4) -> Iterator[Lab]:
    """A lab that is gone, with all its processes and files, when the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="initlab-hosts-"))
    folder.chmod(0o755)  # PostgreSQL's own user comes in
    made = Lab(folder, apis, workers)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)
