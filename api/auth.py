"""Authentication: by API keys where they are configured, else by coming from this machine."""

import math
import time
from collections.abc import Mapping

from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.browsers import host_name, is_loopback
from api.errors import problem
from api.keys import Key, owner
from core.datasets import MOST_FILE

MAX_BODY = 1_000_000
"""Bytes of one request: the largest spec that the limits allow is a tenth of it."""

MAX_UPLOAD = MOST_FILE + MAX_BODY
"""Bytes of a request that brings a data set: the file, and what is said of it."""

OPEN = ("/healthz", "/readyz")
"""Paths that need no key: a load balancer asks them."""


def _max_body(scope: Scope) -> int:
    return MAX_UPLOAD if (scope["method"], scope["path"]) == ("POST", "/datasets") else MAX_BODY


class AuthMiddleware:
    """ASGI middleware that refuses requests without a key, sent as `Authorization: Bearer initlab_<id>_<secret>`."""

    def __init__(self, app: ASGIApp, keys: Mapping[str, Key] | None) -> None:
        self._app = app
        self._keys = keys
        self._windows = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = None
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > (most := _max_body(scope)):  # hidden, it meets starlette's own limit
            refusal = problem(413, "Content too large", f"the body is larger than {most:,} bytes")
        elif self._keys is None:
            # The Host header too, or a web page could reach this service through a name that resolves to loopback.
            names = [host_name(one) for one in headers.getlist("host")]
            if not (is_loopback(scope["server"][0].strip("[]")) and len(names) == 1 and is_loopback(names[0] or "")):
                refusal = problem(403, "Forbidden", "without API keys this service answers on loopback names only")
        elif scope["path"] not in OPEN:
            scheme, _, key = headers.get("authorization", "").partition(" ")
            who = owner(key.strip(), self._keys) if scheme.lower() == "bearer" else None
            if who is None:
                refusal = problem(401, "Unauthorized", "send an API key: Authorization: Bearer <key>")
                refusal.headers["WWW-Authenticate"] = "Bearer"
            else:
                refusal = self._rate_limited(who, self._keys[who])
            scope.setdefault("state", {})["key_id"] = who
        await (refusal or self._app)(scope, receive, send)

    def _rate_limited(self, who: str, key: Key) -> Response | None:
        """Return the refusal of one request too many, or None. Each process of the API counts its own."""
        if key.requests is None or self._windows.hit(key.requests, who):
            return None
        wait = max(1, math.ceil(self._windows.get_window_stats(key.requests, who).reset_time - time.time()))
        text = f"this API key may send {key.requests}: wait {wait} s"
        refusal = problem(429, "Too many requests", text)
        refusal.headers["Retry-After"] = str(wait)
        return refusal
