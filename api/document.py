"""The OpenAPI document and the pages that show it."""

import asyncio
import threading

from anyio.to_thread import run_sync
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
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
        app.add_route("/docs", self.docs, include_in_schema=False)
        app.add_route("/redoc", self.redoc, include_in_schema=False)

    def begin(self) -> None:
        """Begin to make it, on the running event loop."""
        self._making = asyncio.ensure_future(run_sync(_document, self._app))

    async def get(self, request: Request) -> Response:
        """Answer with the document, once it is made."""
        if self._making is None:
            self.begin()
        assert self._making is not None  # noqa: S101 it has just begun
        return revalidated(request, await asyncio.shield(self._making))

    async def docs(self, request: Request) -> Response:
        """Answer with the page of Swagger UI."""
        return get_swagger_ui_html(openapi_url=_url(request), title=self._app.title)

    async def redoc(self, request: Request) -> Response:
        """Answer with the page of ReDoc."""
        return get_redoc_html(openapi_url=_url(request), title=self._app.title)


def _url(request: Request) -> str:
    root: str = request.scope.get("root_path", "")
    return f"{root.rstrip('/')}/openapi.json"


def _document(app: FastAPI) -> bytes:
    """Return the document as JSON, made once for the process: all applications of this code have the same."""
    global _made
    with _making:
        if _made is None:
            _made = compact(app.openapi())
        return _made
