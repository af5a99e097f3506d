"""What runs on the hosts: PostgreSQL, Redis and SeaweedFS, each on its own, with passwords; APIs and workers."""

import os
import pwd
import secrets
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import httpx2 as httpx
import psycopg
import redis

from tests.hosts.network import Host
from tests.measured import give_profile
from tests.seaweed import S3Server
from tests.service.running import until

PASSWORD = secrets.token_urlsafe(16)
PATIENCE = 300.0
"""Seconds for a server to start, on a machine where others work too."""


class Server:
    """A host, and the one server that runs there: started with it, and again after it was killed."""

    kind = ""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.process: subprocess.Popen[str] | None = None

    def boot(self) -> None:
        """Start the host and its server."""
        self.host.boot()
        self.start()

    def start(self) -> None:
        """Start the server; it may not answer yet."""
        self.process = self.host.start(self.command(), self.environment())

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "LC_ALL": "C"}

    def answers(self) -> bool:
        """Whether it can be used, asked from outside of its host."""
        raise NotImplementedError

    def wait(self) -> None:
        """Wait until it answers; fails with the end of its log."""

        def poll() -> bool:
            ended = self.process is None or self.process.poll() is not None
            assert not ended, (self.host.logs / "log").read_text()[-3000:]
            return self.answers()

        until(poll, PATIENCE)


class Postgres(Server):
    kind = "PostgreSQL"

    @property
    def url(self) -> str:
        """SQLAlchemy's and, without `+psycopg`, psycopg's."""
        return f"postgresql+psycopg://lab:{PASSWORD}@{self.host.address}:5432/postgres"

    def boot(self) -> None:
        self.host.boot()
        if not (self.host.folder / "cluster").exists():
            self._make()
        self.start()

    def start(self) -> None:
        # What a server that was killed has left behind names a process of a host that was started anew.
        (self.host.folder / "cluster" / "postmaster.pid").unlink(missing_ok=True)
        self.process = self.host.start(self.command(), self.environment(), user=_owner())

    def command(self) -> list[str]:
        of = {"listen_addresses": self.host.address, "unix_socket_directories": "", "max_connections": "100"}
        options = [word for name, value in of.items() for word in ("-c", f"{name}={value}")]
        return [program("postgres"), "-D", str(self.host.here / "cluster"), *options]

    def answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            psycopg.connect(self.url.replace("+psycopg", ""), connect_timeout=2).close()
            return True
        return False

    def _make(self) -> None:
        given = self.host.folder / "password"
        given.write_text(PASSWORD)
        shutil.chown(given, _owner())
        shutil.chown(self.host.folder, _owner())
        command = [program("initdb"), "-D", str(self.host.here / "cluster"), "--username=lab", "--encoding=UTF8"]
        command += ["--locale=C", f"--pwfile={self.host.here / 'password'}", "--auth=scram-sha-256"]
        made = self.host.start(command, self.environment(), user=_owner())
        assert made.wait() == 0, (self.host.logs / "log").read_text()[-3000:]
        with (self.host.folder / "cluster" / "pg_hba.conf").open("a") as access:
            access.write("host all all 10.77.0.0/24 scram-sha-256\n")


class Redis(Server):
    kind = "Redis"

    @property
    def url(self) -> str:
        return f"redis://:{PASSWORD}@{self.host.address}:6379/0"

    def command(self) -> list[str]:
        binary = shutil.which("redis-server") or shutil.which("valkey-server") or "redis-server"
        return [binary, "--bind", self.host.address, "--requirepass", PASSWORD, "--save", "", "--appendonly", "no"]

    def answers(self) -> bool:
        client = redis.Redis.from_url(self.url, socket_timeout=2, socket_connect_timeout=2)
        with suppress(redis.RedisError):
            return bool(client.ping())
        return False


class S3(Server):
    kind = "S3"

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.server = S3Server(host.folder, [8333, 9333, 8080, 8888, 18333, 19333, 18080, 18888], host.address)

    def command(self) -> list[str]:
        return [word.replace(str(self.host.folder), str(self.host.here)) for word in self.server.command()]

    def answers(self) -> bool:
        return self.server.answers()


class Program(Server):
    """An API or a worker. `shared` are the variables that all have."""

    module = ""

    def __init__(self, host: Host, shared: dict[str, str]) -> None:
        super().__init__(host)
        self._shared = shared
        give_profile(host.folder / "cache")

    def environment(self) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("INITLAB_", "AWS_"))}
        own = {"INITLAB_DATA_DIR": str(self.host.here / "data"), "INITLAB_CACHE_DIR": str(self.host.here / "cache")}
        return clean | {"PYTHONPATH": str(Path(__file__).parents[2])} | self._shared | own

    def run(self, *words: str) -> None:
        """Run a module on the host to its end."""
        log = self.host.logs / "log"
        assert self.host.start([sys.executable, "-m", *words], self.environment()).wait() == 0, log.read_text()[-3000:]


class Api(Program):
    kind = "API"

    @property
    def url(self) -> str:
        return f"http://{self.host.address}:8000"

    def command(self) -> list[str]:
        return [sys.executable, "-m", "api", "--host", self.host.address, "--port", "8000"]

    def answers(self) -> bool:
        with suppress(httpx.TransportError):
            return bool(httpx.get(f"{self.url}/healthz", timeout=2).status_code == 200)
        return False


class Worker(Program):
    kind = "worker"

    def command(self) -> list[str]:
        return [sys.executable, "-m", "worker", "--concurrency", "1"]

    def answers(self) -> bool:
        return True  # whether it works is asked of an API


def _owner() -> str:
    """The user that PostgreSQL runs as: it refuses to be root."""
    with suppress(KeyError):
        return pwd.getpwnam("postgres").pw_name
    return "nobody"


def program(name: str) -> str:
    """A program of PostgreSQL, which Debian keeps out of the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    return str(found[-1]) if found else shutil.which(name) or name
