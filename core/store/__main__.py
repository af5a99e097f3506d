"""`python -m core.store upgrade | disk | compact`: the schema of the settings' database, and its space."""

import sys

from sqlalchemy.exc import OperationalError

from core.errors import InitlabError
from core.settings import Settings, settings
from core.store import Database, upgrade
from core.store.disk import disk
from core.store.space import compact, space

WORDS = ("upgrade", "disk", "compact")


def main() -> int:
    """Return the exit code: 0, or 2 with the reason on stderr."""
    if len(sys.argv) != 2 or sys.argv[1] not in WORDS:
        sys.stderr.write(f"usage: python -m core.store {' | '.join(WORDS)}\n")
        return 2
    current = settings()
    current.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        _do(sys.argv[1], current, Database(current.database))
    except (InitlabError, OperationalError) as error:
        sys.stderr.write(f"{sys.argv[1]} failed: {error}\n")
        return 2
    return 0


def _do(word: str, current: Settings, database: Database) -> None:
    if word == "upgrade":
        upgrade(database.engine)
    elif word == "disk":
        sys.stdout.write(disk(database, current))
    elif database.engine.dialect.name != "sqlite":
        sys.stdout.write("PostgreSQL gives its space back by itself: see its autovacuum\n")
    else:
        before = space(database).total
        compact(database.engine)
        sys.stdout.write(f"{before:,} bytes before, {space(database).total:,} now\n")


if __name__ == "__main__":
    sys.exit(main())
