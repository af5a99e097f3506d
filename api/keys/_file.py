"""API keys in a file: one a line, `id:sha256`, and after it what the key may do, all of it optional.

`lab:0f3a... scope=submit unfinished_runs=2000 priority=10 requests=20/second`. Lines that begin with # say nothing.
Without a scope a key is an admin's. Removing a line revokes its key at the next start.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from api.keys._key import ID, InvalidKeys, Key, digest, new_key, read_words


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
        name, _, sha256 = first.partition(":")
        if not ID.fullmatch(name) or not re.fullmatch(r"[0-9a-f]{64}", sha256) or name in keys:
            raise InvalidKeys(f"{file}, line {number}: should be id:sha256, each id once")
        try:
            keys[name] = Key(sha256, **read_words(words))
        except InvalidKeys as wrong:
            raise InvalidKeys(f"{file}, line {number}: {wrong}") from None
    if not keys:
        raise InvalidKeys(f"{file} has no key: `initlab keys create --file {file} --id NAME` makes one")
    return keys


def create(file: Path, name: str, words: Sequence[str] = ()) -> str:
    """Add a key to the file (made if it is not there) and return it: it cannot be read again.

    `words` limit it, as they do in the file.
    """
    read_words(words)
    key = new_key(name)
    if file.exists() and name in _ids(file):
        raise InvalidKeys(f"{file} has a key {name!r} already: remove its line first")
    file.touch(mode=0o600)
    with file.open("a") as lines:
        lines.write(" ".join([f"{name}:{digest(key)}", *words]) + "\n")
    return key


def _ids(file: Path) -> set[str]:
    return {line.strip().partition(":")[0] for line in file.read_text().splitlines()}
