"""`python -m core.store upgrade | disk | compact [--json]`: the schema of the settings' database, and its space."""

import json
import sys
from typing import Any

from sqlalchemy.exc import OperationalError

from core.errors import InitlabError
from core.settings import Settings, settings
from core.store import Database, require_current, upgrade
from core.store.database import in_words
from core.store.disk import disk
from core.store.migrate import revision
from core.store.network_disk import refuse_network_disk
from core.store.space import compact, space

WORDS = ("upgrade", "disk", "compact")


def main() -> int:
    """Return the exit code: 0, or 2 with the reason on stderr."""
    words = [word for word in sys.argv[1:] if word != "--json"]
    if len(words) != 1 or words[0] not in WORDS:
        sys.stderr.write(f"usage: python -m core.store {' | '.join(WORDS)} [--json]\n")
        return 2
    current = settings()
    try:
        refuse_network_disk(current)
        told, text = _do(words[0], current)
    except (InitlabError, OperationalError) as error:
        sys.stderr.write(f"{words[0]} failed: {in_words(error)}\n")
        return 2
    sys.stdout.write(json.dumps(told, indent=2) + "\n" if "--json" in sys.argv else text)
    return 0


def _do(word: str, current: Settings) -> tuple[dict[str, Any], str]:
    """Return what was done or found, for programs and for people."""
    database = Database(current.database)
    if word == "upgrade":
        current.data_dir.mkdir(parents=True, exist_ok=True)
        upgrade(database.engine)
        with database.engine.connect() as connection:
            return {"revision": revision(connection)[0]}, ""
    require_current(database.engine)
    if word == "disk":
        found = disk(database, current)
        return found.as_json(), found.text()
    before = space(database).total
    if database.engine.dialect.name != "sqlite":
        text = "PostgreSQL gives its space back by itself: see its autovacuum\n"
        return {"compacted": False, "bytes_before": before, "bytes": before}, text
    compact(database.engine)
    now = space(database).total
    told = {"compacted": True, "bytes_before": before, "bytes": now}
    return told, f"{before:,} bytes before, {now:,} now\n"


if __name__ == "__main__":
    sys.exit(main())
