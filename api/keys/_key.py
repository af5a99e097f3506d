"""A key as the service knows it: without its secret, with what it may do."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import limits

from core.errors import InitlabError

ID = re.compile(r"[A-Za-z0-9-]{1,40}")
PREFIX = "initlab"


class Scope(IntEnum):
    """The scope of a key; a higher one includes those below."""

    READ = 1
    """See everything, and preview."""
    SUBMIT = 2
    """Post experiments and data sets, and change one's own."""
    ADMIN = 3
    """Change everybody's."""

    @property
    def word(self) -> str:
        return self.name.lower()


SCOPES = {scope.word: scope for scope in Scope}
WORDS: Mapping[str, tuple[str, str, Callable[[str], Any]]] = {
    "scope": ("submit", "|".join(SCOPES), SCOPES.__getitem__),
    "unfinished_runs": ("2000", r"\d{1,9}", int),
    "priority": ("10", r"-?\d{1,3}", int),
    "runs": ("100000", r"\d{1,15}", int),
    "points": ("1000000000", r"\d{1,15}", int),
    "bytes": ("10000000000", r"\d{1,15}", int),
    "requests": ("20/second", r"[1-9]\d{0,8}/(second|minute|hour|day)", limits.parse),
}
"""The words on a key beside its secret: an example, its form, and the function that reads it."""


class InvalidKeys(InitlabError):
    """The API keys cannot be used, or not as was asked."""

    title = "Invalid API keys"


class Key(NamedTuple):
    """The service's record of a key, without the key. A limit that is None is the service's own."""

    digest: str
    """SHA-256 of the whole key."""
    scope: Scope = Scope.ADMIN
    unfinished_runs: int | None = None
    priority: int | None = None
    requests: limits.RateLimitItem | None = None
    """As many in that time."""
    runs: int | None = None
    """As many as it may have stored; so the next two."""
    points: int | None = None
    bytes: int | None = None
    ended: str | None = None
    """The reason why it opens nothing any more: `was revoked` or `has expired`."""

    @property
    def may_change(self) -> bool:
        """Return whether it may do more than read."""
        return self.scope >= Scope.SUBMIT


def owner(key: str, keys: Mapping[str, Key]) -> str | None:
    """Return the id of the key, or None; takes the same time for a wrong secret as for a right one."""
    name = key.split("_", 2)[1] if key.count("_") >= 2 else ""
    known = keys.get(name, Key("0" * 64))
    matches = hmac.compare_digest(digest(key), known.digest)
    return name if matches and name in keys else None


def read_words(words: Sequence[str]) -> dict[str, Any]:
    """Return what words such as `priority=10` say of a key; raises `InvalidKeys` with the word at fault."""
    found: dict[str, Any] = {}
    for word in words:
        name, _, text = word.partition("=")
        if name not in WORDS:
            raise InvalidKeys(f"{word!r} is not known here; what is: {', '.join(WORDS)}")
        example, form, read = WORDS[name]
        if name in found or not re.fullmatch(form, text):
            raise InvalidKeys(f"{word!r} should be such as {name}={example}, and each once")
        found[name] = read(text)
    return found


def new_key(name: str) -> str:
    """Return a key of its own for an id; raises `InvalidKeys` for what can be none."""
    if not ID.fullmatch(name):
        raise InvalidKeys("an id has 1 to 40 letters, digits and hyphens")
    return f"{PREFIX}_{name}_{secrets.token_urlsafe(32)}"


def digest(key: str) -> str:
    """Return the SHA-256 that is kept of a key."""
    return hashlib.sha256(key.encode()).hexdigest()
