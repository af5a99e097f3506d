"""The manual at `/manual`, of the service's own version: what `make docs` built, and the wheel and the image have."""

import os
from mimetypes import guess_type
from pathlib import Path

from anyio.to_thread import run_sync
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from api.page import answer_file
from api.policies import MANUAL
from core.errors import NotFound

ROOT = "/manual"
SITE = Path(__file__).with_name("site")
NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>initlab: no manual yet</title><link rel="icon" href="/page/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/page/style.css"></head>
<body><main><h1>The manual is not built here</h1>
<p>Build it with <code>make docs</code>, which takes a minute or two, and reload this page: the service goes on
meanwhile. Its pages can be read in the folder <code>docs/</code> too, beginning with <code>docs/tutorial.md</code>.</p>
<p><a href="/">Back to the page</a> · <a href="/docs">All calls of the API</a></p></main></body></html>
"""


def is_manual(path: str) -> bool:
    """Return whether a path is the manual's, which holds nothing of the lab's and needs no key."""
    return path == ROOT or path.startswith(f"{ROOT}/")


def install(app: FastAPI) -> None:
    """Give the application the manual, which may be built while the application runs."""

    async def enter(_request: Request) -> Response:
        return RedirectResponse(f"{ROOT}/")  # a page's links are relative to it

    async def answer(request: Request) -> Response:
        return await run_sync(_answer, request, str(request.path_params["name"]))

    app.router.routes.append(Route(ROOT, enter))
    app.router.routes.append(Route(f"{ROOT}/{{name:path}}", answer))


def _answer(request: Request, name: str) -> Response:
    """Return a file of the manual; raises `NotFound` where it has none of that name."""
    if not (SITE / "index.html").is_file():
        return HTMLResponse(NOT_BUILT, 404, {"Content-Security-Policy": MANUAL})
    path = Path(os.path.normpath(SITE / (name or "index.html")))
    if not path.is_relative_to(SITE) or not path.is_file() or guess_type(path.name)[0] is None:
        raise NotFound(f"the manual has no page {name!r}")
    return answer_file(request, path, MANUAL)
