"""`python -m core.store upgrade`: migrate the database that the settings name."""

import sys

from sqlalchemy.exc import OperationalError

from core.errors import InitlabError
from core.settings import settings
from core.store import Database, upgrade


def main() -> int:
    """Return the exit code: 0, or 2 with the reason on stderr."""
    if sys.argv[1:] != ["upgrade"]:
        sys.stderr.write("usage: python -m core.store upgrade\n")
        return 2
    current = settings()
    current.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        upgrade(Database(current.database).engine)
    except (InitlabError, OperationalError) as error:
        sys.stderr.write(f"the database could not be upgraded: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
