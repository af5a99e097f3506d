"""Authentication: by API keys where they are configured, else by coming from this machine."""

import math
import re
import time

from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.browsers import SAFE, host_name, is_loopback
from api.deps import Caller
from api.errors import problem
from api.keys import Key, KeyRing
from core.datasets import MOST_FILE

MAX_BODY = 1_000_000
"""Bytes of one request: the largest spec that the limits allow is a tenth of it."""

MAX_UPLOAD = MOST_FILE + MAX_BODY
"""Bytes of a request that brings a data set: the file, and what is said of it."""

OPEN = ("/healthz", "/readyz")
"""Paths that need no key: a load balancer asks them."""

PREVIEW = re.compile(r"/previews/.*|/experiments/preview")
"""Paths of posts that change nothing."""

ONLY_LOOPBACK = "without API keys this service answers on loopback names only"


def _max_body(scope: Scope) -> int:
    return MAX_UPLOAD if (scope["method"], scope["path"]) == ("POST", "/datasets") else MAX_BODY


class AuthMiddleware:
    """ASGI middleware that refuses requests without a key, sent as `Authorization: Bearer initlab_<id>_<secret>`.

    Where there are no keys it refuses who does not come from this machine.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._windows = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > (most := _max_body(scope)):  # hidden, it meets starlette's own limit
            app: ASGIApp = problem(413, "Content too large", f"the body is larger than {most:,} bytes")
        else:
            app = await self._admitted(scope, headers)
        await app(scope, receive, send)

    async def _admitted(self, scope: Scope, headers: Headers) -> ASGIApp:
        """Return the application, told who asks, or the refusal."""
        keys: KeyRing = scope["app"].state.service.keys
        if scope["path"] not in OPEN:
            await keys.refresh()
        if not keys.is_needed:
            return self._app if _is_of_this_machine(scope, headers) else _forbidden(ONLY_LOOPBACK)
        if scope["path"] in OPEN:
            return self._app
        scheme, _, sent = headers.get("authorization", "").partition(" ")
        who = keys.owner(sent.strip()) if scheme.lower() == "bearer" else None
        key = keys.get(who)
        if who is None or key is None or key.ended:
            return _unknown(keys, f"this API key {key.ended}" if key else None)
        if not key.may_change and scope["method"] not in SAFE and not PREVIEW.fullmatch(scope["path"]):
            return _forbidden("this API key may read and preview, and change nothing: its scope is read")
        keys.note_use(who)
        scope.setdefault("state", {})["caller"] = Caller(who, key.scope)
        return self._rate_limited(who, key) or self._app

    def _rate_limited(self, who: str, key: Key) -> Response | None:
        """Return the refusal of one request too many, or None. Each process of the API counts its own."""
        if key.requests is None or self._windows.hit(key.requests, who):
            return None
        wait = max(1, math.ceil(self._windows.get_window_stats(key.requests, who).reset_time - time.time()))
        text = f"this API key may send {key.requests}: wait {wait} s"
        refusal = problem(429, "Too many requests", text)
        refusal.headers["Retry-After"] = str(wait)
        return refusal


def _is_of_this_machine(scope: Scope, headers: Headers) -> bool:
    """Return whether the address is this machine's, and the name that was asked for too.

    Or a web page could reach this service through a name of its own that resolves to loopback.
    """
    names = [host_name(one) for one in headers.getlist("host")]
    return is_loopback(scope["server"][0].strip("[]")) and len(names) == 1 and is_loopback(names[0] or "")


def _forbidden(text: str) -> Response:
    return problem(403, "Forbidden", text)


def _unknown(keys: KeyRing, why: str | None) -> Response:
    """Return the refusal of who sent no key that counts."""
    if why is None and not keys.is_known:
        refusal = problem(503, "Service unavailable", "the API keys cannot be read now; try again")
        refusal.headers["Retry-After"] = "1"
    else:
        refusal = problem(401, "Unauthorized", why or "send an API key: Authorization: Bearer <key>")
        refusal.headers["WWW-Authenticate"] = "Bearer"
    return refusal
