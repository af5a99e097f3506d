"""Users without a key, whom a proxy or a provider vouches for: their ids here, and the scope that they have."""

import hashlib
import logging
from collections.abc import Sequence
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Request
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from api.keys import SCOPES, Scope
from core.errors import Forbidden
from core.settings import Settings

log = logging.getLogger(__name__)

LONGEST_ID = 40
PEER = "initlab.peer"
"""The key of a request's scope with the address that it came from, before a proxy's word for it counts."""


def user_id(name: str) -> str:
    """Return a user's id: no key has one such. A long name is cut, and told from others by its hash.

    Raises `Forbidden` for a name that is empty, or has spaces or what cannot be read.
    """
    if not name or not name.isprintable() or any(sign.isspace() for sign in name) or name.startswith("@"):
        raise Forbidden(f"{name!r} is no name of a user here: it has no spaces, and does not begin with @")
    whole = f"@{name}"
    if len(whole) <= LONGEST_ID:
        return whole
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    return f"{whole[: LONGEST_ID - 13]}~{digest}"


def group_ids(names: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of groups, as members of projects have them."""
    return tuple(f"%{name}" for name in dict.fromkeys(names) if name and name.isprintable())


def scope_of(settings: Settings, user: str, groups: Sequence[str]) -> Scope:
    """Return the scope of a user with these ids of groups; raises `Forbidden` where it has none."""
    given = [settings.group_scopes[one[1:]] for one in groups if one[1:] in settings.group_scopes]
    words = given or ([settings.user_scope] if settings.user_scope else [])
    if not words:
        raise Forbidden(
            f"{user} may not come in: no group of theirs has a scope here, and INITLAB_USER_SCOPE gives none"
        )
    return max(SCOPES[word] for word in words)


class ForwardedUsers:
    """The users that proxies name in a header."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def find(self, scope: Request, headers: Headers) -> tuple[str, tuple[str, ...]] | None:
        """Return the ids of the user and the groups that a proxy names, if one does.

        Raises `Forbidden` where anybody else does, and for a header that is there twice: one may be the client's own.
        """
        if not self._settings.user_header:
            return None
        for header in filter(None, (self._settings.user_header, self._settings.groups_header)):
            sent = headers.getlist(header)
            if sent and not self._is_proxy(scope):
                log.warning("the header %s came from %s, which is no proxy of ours", header, scope[PEER])
                raise Forbidden(f"the header {header} is taken from the proxies of INITLAB_TRUSTED_PROXIES alone")
            if len(sent) > 1:
                raise Forbidden(
                    f"the header {header} is there {len(sent)} times: the proxy has to replace the client's"
                )
        name = _text(headers.get(self._settings.user_header, ""))
        if not name:
            return None
        groups = _text(headers.get(self._settings.groups_header, "")) if self._settings.groups_header else ""
        return user_id(name), group_ids([one.strip() for one in groups.split(",")])

    def _is_proxy(self, scope: Request) -> bool:
        try:
            peer = ip_address(scope[PEER])
        except ValueError:  # a socket of this machine has no address
            return False
        peer = getattr(peer, "ipv4_mapped", None) or peer
        return any(peer in network for network in self._settings.trusted_proxies)


class ForwardedMiddleware:
    """ASGI middleware, the outermost: takes the proxies' word for addresses and TLS, and keeps where they came from."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        trusted = [str(one) for one in settings.trusted_proxies] or ["127.0.0.1", "::1"]
        self._app = ProxyHeadersMiddleware(app, trusted_hosts=trusted)  # type: ignore[arg-type]  # types of its own

    async def __call__(self, scope: Request, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        scope[PEER] = client[0] if client else ""
        await self._app(scope, receive, send)  # type: ignore[arg-type]


def _text(sent: str) -> str:
    """Return a header's text, which starlette reads as latin-1 and proxies write as UTF-8."""
    try:
        return sent.encode("latin-1").decode().strip()
    except UnicodeDecodeError:
        return sent.strip()
