"""Bring a database to this code's schema, under a lock, and refuse one that is newer."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from core.errors import InitlabError
from core.store.database import is_missing


class SchemaMismatch(InitlabError):
    """The schema of the database is not the one that this code knows."""

    status = 503
    title = "Database schema mismatch"


def upgrade(engine: Engine) -> None:
    """Apply the migrations that are missing; raises `SchemaMismatch` for a database made by newer code.

    Safe to call from several processes at once: on PostgreSQL an advisory lock, on SQLite the write lock of the
    transaction lets one through at a time, and the others find the work done.
    """
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4719200)")
        refuse_newer(*revision(connection))
        command.upgrade(_config(connection), "head")


def require_current(engine: Engine) -> None:
    """Raise `SchemaMismatch` unless the database has the tables of this code, and says what to do about it.

    A file that is not there stays so: SQLite would make one of no tables.
    """
    if is_missing(engine.url):
        found, needed = None, _head()
    else:
        with engine.connect() as connection:
            found, needed = revision(connection)
    refuse_newer(found, needed)
    if found != needed:
        has = "has no tables yet" if found is None else f"is at revision {found}"
        raise SchemaMismatch(f"the database {has}, this code needs revision {needed}: run `initlab db upgrade`")


def revision(connection: Connection) -> tuple[str | None, str | None]:
    """Return the database's revision and the one this code needs."""
    return MigrationContext.configure(connection).get_current_revision(), _head()


def is_current(session: Session) -> bool:
    """Return whether the database still has the tables of this code: one read, as workers ask again and again."""
    return bool(session.scalar(text("SELECT version_num FROM alembic_version")) == _head())


def refuse_newer(found: str | None, needed: str | None = None) -> None:
    """Raise `SchemaMismatch` for a revision that this code does not know; `needed` is this code's, else looked up."""
    needed = needed or _head()
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise SchemaMismatch(
            f"the database is at revision {found}, which this code, at {needed}, does not know: update initlab"
        )


@cache
def _head() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config(connection: Connection | None = None) -> Config:
    spec = find_spec("migrations")
    if spec is None or not spec.submodule_search_locations:
        raise SchemaMismatch("the migrations are not installed beside the code")
    config = Config()
    config.set_main_option("script_location", str(Path(spec.submodule_search_locations[0])).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
