"""Read-only links: a signed token that opens one experiment, for as long as its maker sees it, and until it expires."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.types import Scope as Request

from api.browsers import SAFE
from api.errors import problem
from api.sessions import LINK_COOKIE, Sessions

PREFIX = "initlab-link_"
"""Before the token: a program sends it in place of a key, a browser once, for a cookie."""
ID = re.compile(r"[0-9a-f]{32}")
MOST_HOURS = 720
"""A month."""

_OPENED = re.compile(
    r"/experiments/(\d+)"
    r"(/(report|runs|metrics|history|environments|events|plots|plots\.zip|plots/[^/]+|bundle\.zip|experiment\.eln))?"
)
_ALWAYS = (("GET", "/me"), ("HEAD", "/me"), ("POST", "/session"), ("DELETE", "/session"))
"""The calls of the page before it knows what it may show."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link to one experiment: who made it, by what, and until when it opens something."""

    id: str
    experiment: int
    who: str
    """A key's id, or `@user`."""
    expires_at: int
    """Seconds since 1970."""
    key: str | None = None
    """The beginning of its maker's key's hash: the link ends with that very key. None: a user made it."""
    groups: Sequence[str] = ()
    """Of its maker, as they were then."""
    project: str | None = None
    """The experiment's; None: an older version made the link."""

    def refusal(self, method: str, path: str) -> Response | None:
        """Return the answer to what this link does not open; None where it does."""
        if (method, path) in _ALWAYS:
            return None
        opened = _OPENED.fullmatch(path)
        if method in SAFE and opened is not None and opened[1] == str(self.experiment):
            return None
        return problem(403, "Forbidden", f"this link opens experiment {self.experiment}, to read it, and nothing else")

    def adds(self, method: str, path: str, hidden: frozenset[str]) -> bool:
        """Return whether it opens what somebody asks for who is signed in, and sees nothing of these projects."""
        return self.project in hidden and (method, path) not in _ALWAYS and self.refusal(method, path) is None


def make(
    sessions: Sessions,
    experiment: tuple[int, str],
    who: str,
    hours: int,
    key: str | None = None,
    groups: Sequence[str] = (),
) -> tuple[str, Link]:
    """Return the token of a new link to an experiment of a project, and the link."""
    number, project = experiment
    said = {"id": secrets.token_hex(16), "experiment": number, "project": project, "who": who, "key": key}
    token, signed = sessions.sign(LINK_COOKIE, said | {"groups": list(groups)}, hours * 3600)
    return PREFIX + token, Link(**signed)


def read(sessions: Sessions, token: str) -> Link | None:
    """Return the link of a token; None where it is none of ours, or has expired."""
    return _link(sessions.verified(LINK_COOKIE, token.removeprefix(PREFIX)))


def find(sessions: Sessions, scope: Request) -> Link | None:
    """Return the link that a browser was opened with."""
    return _link(sessions.get(scope, LINK_COOKIE))


def keep(sessions: Sessions, response: Response, scope: Request, link: Link) -> None:
    """Have the browser bring a link with its requests."""
    sessions.set(response, scope, LINK_COOKIE, vars(link), until=link.expires_at)


def _link(said: dict[str, Any] | None) -> Link | None:
    return None if said is None else Link(**said)
