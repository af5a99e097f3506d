"""API keys: 256 random bits, of which the service keeps only a SHA-256.

The file has one key a line, `id:sha256`, and after it what limits the key, all of it optional:
`lab:0f3a... unfinished_runs=2000 priority=10 requests=20/second`. Lines that begin with # say nothing. Removing a line
revokes its key at the next start. A random secret needs no slow hash: there is nothing to guess.
"""

import argparse
import hashlib
import hmac
import re
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import limits

from core.errors import InitlabError

ID = re.compile(r"[A-Za-z0-9-]{1,40}")
PREFIX = "initlab"
LIMITS: Mapping[str, tuple[str, str, Callable[[str], Any]]] = {
    "unfinished_runs": ("2000", r"\d{1,12}", int),
    "priority": ("10", r"-?\d{1,3}", int),
    "requests": ("20/second", r"[1-9]\d{0,8}/(second|minute|hour|day)", limits.parse),
}
"""The limits that a key may have: an example, its form, and the function that reads it."""


class InvalidKeys(InitlabError):
    """The keys file cannot be used."""

    title = "Invalid API keys file"


class Key(NamedTuple):
    """The service's record of a key, without the key. A limit that is None is the service's own."""

    digest: str
    """SHA-256 of the whole key."""
    unfinished_runs: int | None = None
    priority: int | None = None
    requests: limits.RateLimitItem | None = None
    """As many in that time."""


def read_keys(file: Path) -> dict[str, Key]:
    """Return the keys by id; raises `InvalidKeys` with the line at fault, and for a file without keys."""
    try:
        lines = file.read_text().splitlines()
    except OSError as error:
        raise InvalidKeys(f"the API keys file {file} cannot be read: {error.strerror}") from None
    keys: dict[str, Key] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        first, *words = line.split()
        name, _, digest = first.partition(":")
        if not ID.fullmatch(name) or not re.fullmatch(r"[0-9a-f]{64}", digest) or name in keys:
            raise InvalidKeys(f"{file}, line {number}: should be id:sha256, each id once")
        try:
            keys[name] = Key(digest, **_limits(words))
        except InvalidKeys as wrong:
            raise InvalidKeys(f"{file}, line {number}: {wrong}") from None
    if not keys:
        raise InvalidKeys(f"{file} has no key: `initlab keys create --file {file} --id NAME` makes one")
    return keys


def create(file: Path, name: str, words: Sequence[str] = ()) -> str:
    """Add a key to the file (made if it is not there) and return it: it cannot be read again.

    `words` limit it, as they do in the file.
    """
    _limits(words)
    if not ID.fullmatch(name):
        raise InvalidKeys("an id has 1 to 40 letters, digits and hyphens")
    if file.exists() and name in _ids(file):
        raise InvalidKeys(f"{file} has a key {name!r} already: remove its line first")
    key = f"{PREFIX}_{name}_{secrets.token_urlsafe(32)}"
    file.touch(mode=0o600)
    with file.open("a") as lines:
        lines.write(" ".join([f"{name}:{_digest(key)}", *words]) + "\n")
    return key


def owner(key: str, keys: Mapping[str, Key]) -> str | None:
    """Return the id of the key, or None; takes the same time for a wrong secret as for a right one."""
    name = key.split("_", 2)[1] if key.count("_") >= 2 else ""
    known = keys.get(name, Key("0" * 64))
    matches = hmac.compare_digest(_digest(key), known.digest)
    return name if matches and name in keys else None


def _limits(words: Sequence[str]) -> dict[str, Any]:
    """Return the limits that the words of a line say; raises `InvalidKeys` with the word at fault."""
    found: dict[str, Any] = {}
    for word in words:
        name, _, text = word.partition("=")
        if name not in LIMITS:
            raise InvalidKeys(f"{word!r} is not known here; what is: {', '.join(LIMITS)}")
        example, form, read = LIMITS[name]
        if name in found or not re.fullmatch(form, text):
            raise InvalidKeys(f"{word!r} should be such as {name}={example}, and each once")
        found[name] = read(text)
    return found


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _ids(file: Path) -> set[str]:
    return {line.strip().partition(":")[0] for line in file.read_text().splitlines()}


def main() -> int:
    """Run `python -m api.keys create --file F --id NAME`; return the exit code."""
    arguments = argparse.ArgumentParser(prog="initlab keys", description="API keys of a deployment.")
    commands = arguments.add_subparsers(dest="command", required=True)
    new = commands.add_parser("create", help="make a key, show it once, keep its hash")
    new.add_argument("--file", type=Path, required=True, help="the file that INITLAB_API_KEYS_FILE names")
    new.add_argument("--id", required=True, help="who the key is for")
    new.add_argument("--unfinished-runs", help="most runs that are queued or running at a time, such as 2000")
    new.add_argument("--priority", help="the highest priority it may ask for, such as 10")
    new.add_argument("--requests", help="most requests in a time, such as 20/second")
    given = arguments.parse_args()
    words = [f"{name}={text}" for name in LIMITS if (text := getattr(given, name)) is not None]
    try:
        sys.stdout.write(create(given.file, given.id, words) + "\n")
    except (InvalidKeys, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
