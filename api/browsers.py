"""Browsers: tells this machine's names from others, and a page of this service from one of elsewhere."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem
from api.policies import ON_EVERY_ANSWER

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, 9.2.1)."""

_HOST = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+?)\.?)(?::[0-9]{1,5})?", re.IGNORECASE)


def host_name(host: str) -> str | None:
    """Return the name in a `Host` header, lower case and without port, brackets and the root's dot; None: it has none.

    RFC 3986, 3.2.2: in brackets stands an IPv6 address and nothing else.
    """
    found = _HOST.fullmatch(host)
    if found is None:
        return None
    if found["v6"] is None:
        return found["name"].lower()
    try:
        return str(ip_address(found["v6"]))
    except ValueError:
        return None


def is_cross_site(method: str, headers: Headers) -> bool:
    """Return whether a page of another site has a browser send what may change something.

    The rules are those of Go's net/http.CrossOriginProtection: browsers of today say it in `Sec-Fetch-Site`, older ones
    name the page in `Origin`, and who sends neither is no browser.
    """
    if method in SAFE:
        return False
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site not in ("same-origin", "none")
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc != headers.get("host")
    except ValueError:
        return True


def is_same_origin(headers: Headers) -> bool:
    """Return whether a request shows that a page of this very service had a browser send it."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site == "same-origin"
    return origin is not None and not is_cross_site("POST", headers)


class BrowserMiddleware:
    """ASGI middleware that refuses what a page of another site has a browser send, whoever's browser it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ON_EVERY_ANSWER.items():
                    headers.setdefault(name, value)
            await send(message)

        app = self._app
        if is_cross_site(scope["method"], Headers(scope=scope)):
            text = (
                "a web page of another origin sent this: only pages of this service, and programs, may change something"
            )
            app = problem(403, "Forbidden", text)
        await app(scope, receive, answer)
