"""Lets in who is known, within its scope and its requests in a time; where nobody has to be, who is on this machine."""

import math
import re
import time
from collections.abc import Mapping

from limits import RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.browsers import SAFE, host_name
from api.callers import Caller
from api.deps import Service
from api.errors import problem
from api.identity import Identified, identify
from api.keys import Scope as KeyScope
from api.manual import is_manual
from api.mlflow_paths import ARTIFACTS, READING
from api.page import is_page
from core.datasets import MOST_FILE
from core.errors import Forbidden
from core.exposure import is_loopback

MAX_BODY = 1_000_000
"""Bytes of one request: the largest spec that the limits allow is a tenth of it."""

MAX_UPLOAD = MOST_FILE + MAX_BODY
"""Bytes of a request that brings a data set: the file, and what is said of it."""

OPEN = ("/healthz", "/readyz")
"""Paths that need no key: a load balancer asks them."""

PREVIEW = re.compile(r"/previews/.*|/experiments/preview|/comparisons|/session")
"""Paths of posts that change nothing that is stored."""

ONLY_LOOPBACK = "without API keys this service answers on loopback names only"


MAX_POINTS_BODY = 16_000_000
"""Bytes of a request that brings points: some hundred thousand."""

BRINGS_POINTS = re.compile(r"/runs/\d{1,19}/(points|finish)")


def _changes_nothing(path: str) -> bool:
    return bool(PREVIEW.fullmatch(path) or READING.fullmatch(path))


def _max_body(scope: Scope) -> int:
    if scope["method"] == "PUT" and scope["path"].startswith(ARTIFACTS):
        return MAX_UPLOAD
    if scope["method"] != "POST":
        return MAX_BODY
    if scope["path"] == "/datasets":
        return MAX_UPLOAD
    return MAX_POINTS_BODY if BRINGS_POINTS.fullmatch(scope["path"]) else MAX_BODY


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
        service: Service = scope["app"].state.service
        path, keys = scope["path"], service.keys
        needs_nobody = path in OPEN or is_page(path) or is_manual(path)
        if not needs_nobody:
            await keys.refresh()
        if not keys.is_needed:
            if not _is_of_this_machine(scope, headers):
                return _forbidden(ONLY_LOOPBACK)
            found: Identified | Response = Identified(Caller(roles=keys.roles))
        elif needs_nobody or path in service.open_paths:
            return self._app
        else:
            try:
                found = identify(service, scope, headers)
            except Forbidden as error:
                return _forbidden(error.detail)
        if isinstance(found, Response):
            return found
        caller = found.caller
        scope.setdefault("state", {})["caller"] = caller
        if caller.scope < KeyScope.SUBMIT and scope["method"] not in SAFE and not _changes_nothing(path):
            return _forbidden("this API key may read and preview, and change nothing: its scope is read")
        return self._app if found.requests is None else self._rated(caller.who, found.requests)

    def _rated(self, who: str, most: RateLimitItem) -> ASGIApp:
        """Return the application, or the refusal of one request too many, whose answer says how many more may come.

        Each process of the API counts its own. The headers are those of draft-ietf-httpapi-ratelimit-headers-10.
        """
        admitted = self._windows.hit(most, who)
        reset, left = self._windows.get_window_stats(most, who)
        wait = max(1, math.ceil(reset - time.time()))
        told = {
            "RateLimit-Policy": f'"requests";q={most.amount};w={most.get_expiry()}',
            "RateLimit": f'"requests";r={left};t={wait}',
        }
        if admitted:
            return _with_headers(self._app, told)
        refusal = problem(429, "Too many requests", f"this API key may send {most}: wait {wait} s")
        refusal.headers.update(told | {"Retry-After": str(wait)})
        return refusal


def _with_headers(app: ASGIApp, more: Mapping[str, str]) -> ASGIApp:
    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(more)
            await send(message)

        await app(scope, receive, answer)

    return answered


def _is_of_this_machine(scope: Scope, headers: Headers) -> bool:
    """Return whether the address is this machine's, and the name that was asked for too.

    Or a web page could reach this service through a name of its own that resolves to loopback.
    """
    names = [host_name(one) for one in headers.getlist("host")]
    return is_loopback(scope["server"][0].strip("[]")) and len(names) == 1 and is_loopback(names[0] or "")


def _forbidden(text: str) -> Response:
    return problem(403, "Forbidden", text)
