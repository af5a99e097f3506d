"""API keys: 256 random bits, of which the service keeps only a SHA-256.

The file has one key a line, `id:sha256`; lines that begin with # say nothing. Removing a line revokes its key at the
next start. A random secret needs no slow hash: there is nothing to guess.
"""

import argparse
import hashlib
import hmac
import re
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from core.errors import InitlabError

ID = re.compile(r"[A-Za-z0-9-]{1,40}")
PREFIX = "initlab"


class InvalidKeys(InitlabError):
    """The keys file cannot be used."""

    title = "Invalid API keys file"


def read_keys(file: Path) -> dict[str, str]:
    """SHA-256 by key id; raises `InvalidKeys` with the line at fault, and for a file without keys."""
    try:
        lines = file.read_text().splitlines()
    except OSError as error:
        raise InvalidKeys(f"the API keys file {file} cannot be read: {error.strerror}") from None
    keys: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, digest = line.strip().partition(":")
        if not ID.fullmatch(name) or not re.fullmatch(r"[0-9a-f]{64}", digest) or name in keys:
            raise InvalidKeys(f"{file}, line {number}: should be id:sha256, each id once")
        keys[name] = digest
    if not keys:
        raise InvalidKeys(f"{file} has no key: `initlab keys create --file {file} --id NAME` makes one")
    return keys


def create(file: Path, name: str) -> str:
    """Add a key to the file (made if it is not there) and return it: it cannot be read again."""
    if not ID.fullmatch(name):
        raise InvalidKeys("an id has 1 to 40 letters, digits and hyphens")
    if file.exists() and name in _ids(file):
        raise InvalidKeys(f"{file} has a key {name!r} already: remove its line first")
    key = f"{PREFIX}_{name}_{secrets.token_urlsafe(32)}"
    file.touch(mode=0o600)
    with file.open("a") as lines:
        lines.write(f"{name}:{_digest(key)}\n")
    return key


def owner(key: str, keys: Mapping[str, str]) -> str | None:
    """The id of the key, or None; takes the same time for a wrong secret as for a right one."""
    name = key.split("_", 2)[1] if key.count("_") >= 2 else ""
    known = keys.get(name, "0" * 64)
    matches = hmac.compare_digest(_digest(key), known)
    return name if matches and name in keys else None


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _ids(file: Path) -> set[str]:
    return {line.partition(":")[0] for line in file.read_text().splitlines()}


def main() -> int:
    """`python -m api.keys create --file F --id NAME`; returns the exit code."""
    arguments = argparse.ArgumentParser(prog="initlab keys", description="API keys of a deployment.")
    commands = arguments.add_subparsers(dest="command", required=True)
    new = commands.add_parser("create", help="make a key, show it once, keep its hash")
    new.add_argument("--file", type=Path, required=True, help="the file that INITLAB_API_KEYS_FILE names")
    new.add_argument("--id", required=True, help="who the key is for")
    given = arguments.parse_args()
    try:
        sys.stdout.write(create(given.file, given.id) + "\n")
    except (InvalidKeys, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
