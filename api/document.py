"""The OpenAPI document."""

import asyncio
import threading

from anyio.to_thread import run_sync
from fastapi import FastAPI, Request
from starlette.responses import Response

from api.responses import compact, revalidated

_made: bytes | None = None
_making = threading.Lock()


class Document:
    """The document, made in a thread when the service starts, so that nobody's request makes others wait for it."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._making: asyncio.Future[bytes] | None = None
        app.add_route("/openapi.json", self.get, include_in_schema=False)

    def begin(self) -> None:
        """Begin to make it, on the running event loop."""
        self._making = asyncio.ensure_future(run_sync(_document, self._app))

    async def get(self, request: Request) -> Response:
        """Answer with the document, once it is made."""
        if self._making is None:
            self.begin()
        assert self._making is not None  # noqa: S101 it has just begun
        return revalidated(request, await asyncio.shield(self._making))


def _document(app: FastAPI) -> bytes:
    """Return the document as JSON, made once for the process: all applications of this code have the same."""
    global _made
    with _making:
        if _made is None:
            _made = compact(app.openapi())
        return _made
