"""Databases and brokers for tests: SQLite always; PostgreSQL and Redis where they are, and in CI they must be."""

import json
import os
import shutil
import socket
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
import redis
from sqlalchemy import Connection, MetaData, NullPool, create_engine, func, select, text

from core.hardware import profile_file, this_machine
from core.settings import settings
from core.store import Database, upgrade
from tests.seaweed import S3Server, s3_server
from tests.thorough import POSTGRES

GUESSED_PROFILE = Path(__file__).with_name("guessed_profile.json")
"""`Profile.guess()` written down, which is held to it by a test: `core.training` would load torch for everybody."""


@pytest.fixture(autouse=True, scope="session")
def _known_machine() -> None:
    """Leave a guessed profile in the cache: no test waits for a machine to be measured, or depends on its speed."""
    profile = json.loads(GUESSED_PROFILE.read_bytes()) | {"machine": this_machine()}
    path = profile_file(settings().cache)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(profile), encoding="utf-8")


def absent(what: str, how: str) -> NoReturn:
    """Skip on a user's machine, fail in CI."""
    text = f"{what} is not here: {how}"
    if os.environ.get("CI") == "true":
        pytest.fail(text)
    pytest.skip(text)


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """Return the URL of a server on which databases may be made."""
    try:
        psycopg.connect(f"{POSTGRES}/postgres", connect_timeout=3).close()
    except psycopg.OperationalError:
        absent("PostgreSQL", "apt-get install postgresql, or set INITLAB_TEST_POSTGRES=postgresql://user:pw@host:port")
    return POSTGRES


@contextmanager
def postgres_database(server: str, like: str = "template1") -> Iterator[str]:
    """Yield the URL of a new database, a copy of one that nobody is connected to (empty); drop it at the end."""
    name = f"initlab_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{like}"')
        yield f"{server.replace('postgresql://', 'postgresql+psycopg://')}/{name}"
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """Yield the URL of an empty database of the test's own."""
    with postgres_database(postgres_server) as url:
        yield url


class ReusedDatabase:
    """A database on PostgreSQL that can be made again what it was: to make another takes the server near a second."""

    def __init__(self, url: str) -> None:
        self.url = url
        with self._connected() as connection:
            every = MetaData()
            every.reflect(connection)
            self._tables = every.sorted_tables
            rows = {table: connection.execute(table.select()).mappings().all() for table in self._tables}
            self._rows = {table: [dict(row) for row in found] for table, found in rows.items() if found}
            query = "SELECT quote_ident(sequencename), last_value FROM pg_sequences"
            self._sequences = [tuple(row) for row in connection.execute(text(query))]

    def empty(self) -> None:
        """End all connections but this, and make rows and sequences what they were."""
        with self._connected() as connection:
            own = "datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {own}"))
            for table in reversed(self._tables):
                connection.execute(table.delete())
            for table, rows in self._rows.items():
                connection.execute(table.insert(), rows)
            for name, last in self._sequences:
                connection.execute(select(func.setval(name, last or 1, last is not None)))

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        engine = create_engine(self.url, poolclass=NullPool)
        with engine.begin() as connection:
            yield connection


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> Iterator[ReusedDatabase]:
    """Yield this process's database made by the migrations, which its tests have one after the other."""
    with postgres_database(postgres_server) as url:
        _migrate(url)
        yield ReusedDatabase(url)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a database made by the migrations, once for all tests: each gets a copy."""
    path = tmp_path_factory.mktemp("migrated") / "initlab.sqlite"
    _migrate(f"sqlite:///{path}")
    return path


def _migrate(url: str) -> None:
    made = Database(url)
    upgrade(made.engine)
    made.dispose()


@pytest.fixture
def postgres(migrated_postgres: ReusedDatabase) -> Iterator[Database]:
    """Yield a database on PostgreSQL, where two transactions write at once, made by the migrations."""
    made = Database(migrated_postgres.url)
    yield made
    made.dispose()
    migrated_postgres.empty()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database on either backend."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.sqlite'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Yield a database on either backend, made by the migrations."""
    if request.param == "postgresql":
        yield request.getfixturevalue("postgres")
        return
    made = Database(f"sqlite:///{shutil.copy(request.getfixturevalue('migrated_sqlite'), tmp_path / 'test.sqlite')}")
    yield made
    made.dispose()


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Yield the URL of a Redis that the test may flush, freeze and kill: a user's own server is never touched."""
    server = RedisServer(folder)
    server.start()
    try:
        yield server.url
    finally:
        server.kill()


class RedisServer:
    """A Redis on a port of its own, which it keeps when it is started again."""

    def __init__(self, folder: Path) -> None:
        binary = shutil.which("redis-server") or shutil.which("valkey-server")
        if binary is None:
            absent("redis-server", "apt-get install redis-server, or brew install redis")
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        command = [str(binary), "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"]
        self._command = [*command, "--dir", str(folder)]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        client = redis.Redis(port=self.port, retry=redis.retry.Retry(redis.backoff.ConstantBackoff(0.02), 250))
        client.ping()
        client.close()

    def flush(self) -> None:
        """Remove every key."""
        client = redis.Redis(port=self.port)
        client.flushall()
        client.close()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Yield a running S3 server with an empty bucket."""
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Yield a Redis of the module's own."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()
