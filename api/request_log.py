"""Logs requests: an id that their log lines and answers carry, counts and durations, and who changed something.

The lines of the logger `api.audit` say who asked for what, when, from where, and what came of it, refused or not.
"""

import logging
import re
import time
import uuid
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.browsers import SAFE
from api.prometheus import Metrics
from core.logs import in_request

audit = logging.getLogger("api.audit")

ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
EXPERIMENT = re.compile(r"/experiments/(\d{1,19})(?:/|$)")


class RequestLogMiddleware:
    """ASGI middleware, the outermost, so that it sees refusals too. An id comes as `X-Request-ID`, or is made."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500
        given = Headers(scope=scope).get("x-request-id", "")
        request = given if ID.fullmatch(given) else uuid.uuid4().hex
        about = EXPERIMENT.match(scope["path"])
        in_request(request=request, experiment=int(about[1]) if about else None)

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request.encode())]
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:  # an error that is answered further out is a 500
            self._metrics.answered(scope, status, time.perf_counter() - began)
            if scope["method"] not in SAFE:
                _note(scope, status)


def _note(scope: Scope, status: int) -> None:
    """Log who asked for a change, by the key, or with none, and from which address."""
    caller, client = scope.get("state", {}).get("caller"), scope.get("client")
    about = {"by": caller and caller.id, "address": client and client[0]}
    audit.info("%s %s: %d", scope["method"], quote(scope["path"], safe="/"), status, extra=about)
