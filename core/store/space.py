"""The space that a database takes on its disk, and how it is given back."""

import time
from contextlib import suppress
from typing import NamedTuple

from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from core.store.database import Database

SLACK = 1_000
"""Free pages that SQLite keeps for what is written next: 4 MB."""
PAGES = 250
"""Pages that are given back in one transaction, which keeps other writers out for some milliseconds."""


class Space(NamedTuple):
    """Bytes on the disk."""

    total: int
    free: int
    """Within the total, of rows that are gone: of SQLite's file. PostgreSQL does not say without an extension."""
    tables: dict[str, int] | None
    """With their indexes, the largest first; None where this SQLite cannot tell."""
    shrinks: bool
    """The sweeper gives back what is free; False for a file of before, until it is compacted."""


def space(database: Database) -> Space:
    """Return what a database takes. On SQLite it reads the whole file, and keeps nobody from writing."""
    with database.reading() as session:
        if database.engine.dialect.name == "postgresql":
            total = session.scalar(text("SELECT pg_database_size(current_database())")) or 0
            sizes = text(
                "SELECT relname, pg_total_relation_size(oid) AS bytes FROM pg_class "
                "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY bytes DESC"
            )
            return Space(total=total, free=0, tables=dict(session.execute(sizes).all()), shrinks=True)
        page, pages, free, mode = (
            session.scalar(text(f"PRAGMA {name}")) or 0
            for name in ("page_size", "page_count", "freelist_count", "auto_vacuum")
        )
        sizes = text(
            "SELECT s.tbl_name, sum(d.pgsize) AS bytes FROM dbstat AS d JOIN sqlite_schema AS s ON s.name = d.name "
            "GROUP BY s.tbl_name ORDER BY bytes DESC"
        )
        tables: dict[str, int] | None = None
        with suppress(OperationalError):  # made without SQLITE_ENABLE_DBSTAT_VTAB
            tables = dict(session.execute(sizes).all())
        return Space(total=page * pages, free=page * free, tables=tables, shrinks=mode == 2)


def give_back(engine: Engine, seconds: float = 0.0, slack: int = SLACK) -> int:
    """Give free pages of an SQLite file back for about so many seconds; returns how many.

    The file becomes smaller with the next checkpoint of its log. Of a file that was made before `auto_vacuum` nothing
    is: `compact` changes that. PostgreSQL's own vacuum needs no help.
    """
    if engine.dialect.name != "sqlite":
        return 0
    deadline, given = time.monotonic() + seconds, 0
    pooled = engine.raw_connection()
    try:
        cursor = pooled.cursor()
        if cursor.execute("PRAGMA auto_vacuum").fetchone() != (2,):
            return 0
        (free,) = cursor.execute("PRAGMA freelist_count").fetchone()
        while free > slack:
            # A page a step: `execute` would take the first step alone.
            cursor.executescript(f"PRAGMA incremental_vacuum({min(PAGES, free - slack)})")
            before, (free,) = free, cursor.execute("PRAGMA freelist_count").fetchone()
            given += before - free
            if time.monotonic() > deadline or free >= before:
                break
        return given
    finally:
        pooled.close()


def compact(engine: Engine) -> None:
    """Write an SQLite file anew, without its free pages, and so that later ones can be given back.

    Nobody writes meanwhile, and the disk needs room for a second file. Raises `OperationalError` where others hold it.
    """
    pooled = engine.raw_connection()
    try:
        cursor = pooled.cursor()
        for words in ("PRAGMA auto_vacuum=INCREMENTAL", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            cursor.execute(words).fetchall()
    finally:
        pooled.close()
