"""`python -m api.keys`: make, list, revoke and renew API keys, in the database of the settings or in a file."""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from api.keys import InvalidKeys, create, stored
from api.keys._key import SCOPES, WORDS
from core.errors import InitlabError
from core.settings import settings
from core.store import ApiKey, Database, require_current
from core.store.database import in_words

USAGE = 2
QUOTAS = {"runs": "runs", "points": "points of its runs", "bytes": "bytes of data sets"}


def main() -> int:
    """Return the exit code: 0, or 2 with the reason on stderr."""
    given = _arguments()
    words = [f"{name}={text}" for name in WORDS if (text := getattr(given, name, None)) is not None]
    try:
        if getattr(given, "file", None) is not None:
            if given.days is not None:
                raise InvalidKeys("a key in a file has no end: remove its line")
            said = create(given.file, given.id, words)
            data: Any = {"id": given.id, "key": said}
        else:
            said, data = _in_database(given, words)
    except (InitlabError, DBAPIError, OSError) as error:
        sys.stderr.write(f"{in_words(error)}\n")
        return USAGE
    sys.stdout.write((json.dumps(data, indent=2) if given.json else said) + "\n")
    return 0


def _in_database(given: argparse.Namespace, words: list[str]) -> tuple[str, Any]:
    """Return what to tell people, and the same for programs."""
    database = Database(settings().database)
    try:
        require_current(database.engine)
        with database.transaction() as session:
            if given.command == "list":
                found = stored.keys(session)
                return "\n".join(map(_line, [_HEADER, *map(_told, found)])), [_data(one) for one in found]
            if given.command == "revoke":
                stored.revoke(session, given.id)
                return f"{given.id} is revoked: within a second no API takes it", {"id": given.id}
            if given.command == "create":
                key = stored.create(session, given.id, words, given.days)
            else:
                key = stored.rotate(session, given.id, given.days)
            return key, {"id": given.id, "key": key}
    finally:
        database.dispose()


_HEADER = ("ID", "SCOPE", "CREATED", "LAST USED", "ENDS", "LIMITS")


def _told(one: ApiKey) -> tuple[str, ...]:
    limits = ((name, getattr(one, name)) for name in WORDS if name != "scope")
    said = " ".join(f"{name}={value}" for name, value in limits if value is not None)
    ends = f"revoked {_day(one.revoked_at)}" if one.revoked_at else _day(one.expires_at)
    return one.id, one.scope, _day(one.created_at), _day(one.last_used_at), ends, said


def _data(one: ApiKey) -> dict[str, Any]:
    times = {name: getattr(one, name) for name in ("created_at", "last_used_at", "expires_at", "revoked_at")}
    limits = {name: getattr(one, name) for name in ("unfinished_runs", "priority", "requests")}
    return {"id": one.id, "scope": one.scope, **{name: _instant(at) for name, at in times.items()}, **limits}


def _instant(at: float | None) -> str | None:
    """Return RFC 3339, UTC."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def _line(cells: tuple[str, ...]) -> str:
    widths = (40, 7, 16, 16, 24, 0)
    return " ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _day(at: float | None) -> str:
    return "never" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def _arguments() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(prog="initlab keys", description="API keys of a deployment.")
    commands = arguments.add_subparsers(dest="command", required=True)
    new = commands.add_parser("create", help="make a key, show it once, keep its hash")
    new.add_argument("--file", type=Path, help="the file that INITLAB_API_KEYS_FILE names; else the database")
    new.add_argument("--scope", help=f"what it may do: {', '.join(SCOPES)}")
    new.add_argument("--unfinished-runs", help="most runs that are queued or running at a time, such as 2000")
    new.add_argument("--priority", help="the highest priority it may ask for, such as 10")
    new.add_argument("--requests", help="most requests in a time, such as 20/second")
    for name, what in QUOTAS.items():
        new.add_argument(f"--{name}", help=f"most {what} that it may have stored at a time")
    renewed = commands.add_parser("rotate", help="give a key another secret, and show it once")
    revoked = commands.add_parser("revoke", help="end a key for good")
    shown = commands.add_parser("list", help="list the database's keys")
    for one in (new, renewed, revoked, shown):
        one.add_argument("--json", action="store_true", help="print JSON")
    for one in (new, renewed):
        one.add_argument("--days", type=float, help="days until it expires")
    for one in (new, renewed, revoked):
        one.add_argument("--id", required=True, help="who the key is for")
    return arguments.parse_args()


if __name__ == "__main__":
    sys.exit(main())
