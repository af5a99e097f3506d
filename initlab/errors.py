"""The errors of a call. Each knows the exit code that the command line gives it."""

from collections.abc import Sequence
from typing import NamedTuple

FAILED, USAGE, UNREACHABLE, DIVERGED, DIFFERENT = 1, 2, 3, 4, 5
INTERRUPTED, READER_LEFT = 130, 141
"""As of what ends by SIGINT, and by SIGPIPE."""


KEY = (
    "The key is that of INITLAB_API_KEY, or of Client(api_key=...); where the service runs, `initlab keys create` "
    "makes one and `initlab keys rotate` renews one."
)
"""The way out where a key is wanted."""


class Problem(NamedTuple):
    """One thing wrong with a request: the field's path, what is wrong, and for a name the nearest known ones."""

    path: str
    message: str
    known: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = f"{self.path}: {self.message}" if self.path else self.message
        unsaid = [name for name in self.known if name not in self.message]
        return f"{text} (near: {', '.join(unsaid)})" if unsaid else text


class ClientError(Exception):
    """The base of all errors of a call; its text is meant for people."""

    exit_code = USAGE


class SpecError(ClientError):
    """The spec cannot be sent: an unreadable file, neither JSON nor YAML, or values that JSON has not."""


class Unreachable(ClientError):
    """No initlab server answers at the URL."""

    exit_code = UNREACHABLE


class ApiError(ClientError):
    """The server refused or failed: RFC 9457's fields, and one `Problem` for each field that is wrong."""

    def __init__(self, status: int, title: str, detail: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(detail or title)
        self.status = status
        self.title = title
        self.detail = detail
        self.problems = tuple(problems)
        self.exit_code = UNREACHABLE if status >= 500 or status == 429 else USAGE

    def __str__(self) -> str:
        if self.problems:
            return "\n  ".join([f"{self.title} ({self.status}):", *map(str, self.problems)])
        told = f"{self.title} ({self.status}): {self.detail}" if self.detail else f"{self.title} ({self.status})"
        return f"{told.removesuffix('.')}. {KEY}" if self.status == 401 else told
