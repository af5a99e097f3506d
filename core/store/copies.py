"""Copies of a whole database: one state of it in a file, and an empty database filled from such a file."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import inspect, make_url
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from core.errors import InitlabError
from core.store.database import PREPARE, Database

FILES = {"sqlite": "database.sqlite", "postgresql": "database.pgdump"}
"""The name of the copy, by the kind of database."""


class NotCopied(InitlabError):
    """The database could not be copied, or not be filled from a copy."""

    status = 503
    title = "Database not copied"


@contextmanager
def copied(url: str, folder: Path) -> Iterator[tuple[Path, Session]]:
    """Write the database's state of now into a new file of that folder, whatever others write meanwhile.

    Yields the file, and a session that reads that very state. Raises `NotCopied`.
    """
    parts = make_url(url)
    into = folder / FILES[parts.get_backend_name()]
    if parts.get_backend_name() == "sqlite":
        _copy_sqlite(Path(parts.database or ""), into)
        database = Database(f"sqlite:///{into}", pool_size=1)
        try:
            with database.reading() as session:
                yield into, session
        finally:
            database.dispose()
        return
    database = Database(url, pool_size=1)
    try:
        with database.reading() as session:
            connection = session.connection()  # REPEATABLE READ: the snapshot that pg_dump is lent
            connection.exec_driver_sql("SET idle_in_transaction_session_timeout = 0")
            snapshot = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
            _client("pg_dump", parts, f"--snapshot={snapshot}", f"--file={into}")
            yield into, session
    finally:
        database.dispose()


def kind_of(url: str) -> str:
    """Return sqlite or postgresql."""
    return make_url(url).get_backend_name()


def is_empty(url: str) -> bool:
    """Return whether a database has no tables; an SQLite file need not be there, and is not made."""
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite" and not _beside(Path(parts.database or ""), ""):
        return not _beside(Path(parts.database or ""), "-wal")
    database = Database(url, pool_size=1)
    try:
        return not inspect(database.engine).get_table_names()
    finally:
        database.dispose()


def fill_postgresql(url: str, copy: Path) -> None:
    """Fill an empty database of PostgreSQL from a copy, wholly or not at all. Raises `NotCopied`."""
    _client("pg_restore", make_url(url), "--single-transaction", "--exit-on-error", str(copy))


@contextmanager
def filled_sqlite(url: str, copy: Path) -> Iterator[str]:
    """Yield the URL of a draft with the copy's content; it takes its place when the block ends without an error."""
    path = Path(make_url(url).database or "").absolute()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}-restored")
    try:
        shutil.copyfile(copy, draft)
        yield f"sqlite:///{draft}"
        with closing(sqlite3.connect(draft)) as connection:  # all in one file, before it gets its name
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        _remove_logs(path)  # of an empty database that was here
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
        _remove_logs(draft)


def _copy_sqlite(path: Path, into: Path) -> None:
    """Copy by SQLite's online backup in one step, which in WAL mode is one state and keeps nobody from writing."""
    try:
        with (
            closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as source,
            closing(sqlite3.connect(into)) as target,
        ):
            source.backup(target)
    except sqlite3.Error as error:
        raise NotCopied(f"{path} could not be copied: {error}") from error


def _client(program: str, url: URL, *options: str) -> None:
    """Run one of PostgreSQL's own programs on a database; the password is no argument, which others could read."""
    found = shutil.which(program)
    if found is None:
        raise NotCopied(f"{program} is not here: apt-get install postgresql-client, of the server's version or later")
    target = (
        url.set(drivername="postgresql", password=None)
        .difference_update_query([PREPARE])
        .render_as_string(hide_password=False)
    )
    secret = {} if url.password is None else {"PGPASSWORD": str(url.password)}
    command = [found, "--format=custom", "--no-owner", "--no-privileges", f"--dbname={target}", *options]
    ran = subprocess.run(command, env=os.environ | secret, capture_output=True, text=True)
    if ran.returncode:
        raise NotCopied(f"{program}: {ran.stderr.strip()[-2000:]}")


def _beside(path: Path, suffix: str) -> bool:
    file = path.with_name(path.name + suffix)
    return file.exists() and file.stat().st_size > 0


def _remove_logs(path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
