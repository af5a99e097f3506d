"""A pooler between workers and PostgreSQL, which gives each transaction whichever connection is free."""

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from psycopg.errors import DuplicatePreparedStatement
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.store import ChangeWatch, Database, announce
from tests.backends import absent, free_port
from tests.test_repository import ROOT


@pytest.fixture
def pooled(postgres: Database, tmp_path: Path) -> Iterator[str]:
    """The database's URL through PgBouncer, set up as the page says, with one connection for all."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        absent("pgbouncer", "apt-get install pgbouncer")
    direct, port = postgres.engine.url, free_port()
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    [said] = [block.partition("```")[0] for block in page.split("```ini\n")[1:]]
    where = f"host={direct.host} port={direct.port} user={direct.username}"
    where += f" password={direct.password}" if direct.password else ""
    said = said.replace("initlab = host=db.example", f"* = {where}").replace(
        "listen_port = 6432", f"listen_port = {port}"
    )
    config = tmp_path / "pgbouncer.ini"
    config.write_text(f"{said}auth_type = any\nlisten_addr = 127.0.0.1\ndefault_pool_size = 1\nunix_socket_dir =\n")
    for path in (config, *config.parents):
        with suppress(PermissionError):
            path.chmod(path.stat().st_mode | 0o055)
    command = [program, "--quiet", *(["--user", "nobody"] if os.geteuid() == 0 else []), str(config)]
    with subprocess.Popen(command) as process:
        try:
            while process.poll() is None:
                with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), 5)):
                    break
            yield direct.set(host="127.0.0.1", port=port, password=None).render_as_string()
        finally:
            process.terminate()


@contextmanager
def closing_database(url: str) -> Iterator[Database]:
    made = Database(url, pool_size=1)
    try:
        yield made
    finally:
        made.dispose()


def ask_in_turn(url: str) -> None:
    """Have two processes' worth of clients ask often enough that the driver prepares what they ask."""
    for _ in range(2):
        with closing_database(url) as database, database.transaction() as session:
            _ask(session, 8)


def _ask(session: Session, times: int) -> None:
    for i in range(times):
        assert session.scalar(text("SELECT CAST(:n AS int) + 1"), {"n": i}) == i + 1


def test_statements_are_not_prepared_where_the_url_says_so(pooled: str) -> None:
    with pytest.raises(DBAPIError) as error:
        ask_in_turn(pooled)
    assert isinstance(error.value.orig, DuplicatePreparedStatement)
    ask_in_turn(f"{pooled}?prepare_threshold=none")


def test_who_listens_at_the_server_hears_what_is_written_through_the_pooler(postgres: Database, pooled: str) -> None:
    heard = threading.Event()
    watch = ChangeWatch(postgres)
    watch.tell(lambda experiment: heard.set() if experiment == 7 else None)
    try:
        with closing_database(f"{pooled}?prepare_threshold=none") as database:
            while not heard.wait(0.1):
                with database.transaction() as session:
                    announce(session, 7)
    finally:
        watch.close()
