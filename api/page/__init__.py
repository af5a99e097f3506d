"""The page at `/`, a client of this API like any other, and `/docs`: their files, and those of their libraries."""

import hashlib
import importlib.util
from collections.abc import Iterator
from mimetypes import guess_type
from pathlib import Path

from anyio.to_thread import run_sync
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from api.policies import PAGE
from api.responses import unchanged
from core.errors import NotFound

STATIC = Path(__file__).with_name("static")
ENTRANCES = {"/": "index.html", "/docs": "docs.html"}
"""Paths that a browser is opened at, and the file that each begins with."""
MLFLOW = "/mlflow/"
"""The path of the links that MLflow's clients print: `/mlflow/#/experiments/1/runs/...`."""
LIBRARIES = {
    "bokeh.min.js": ("bokeh", "server/static/js/bokeh.min.js"),
    "bokeh-api.min.js": ("bokeh", "server/static/js/bokeh-api.min.js"),
    "swagger-ui-bundle.js": ("fastapi_offline", "static/swagger-ui-bundle.js"),
    "swagger-ui.css": ("fastapi_offline", "static/swagger-ui.css"),
}
"""Files of installed packages, by the name under /page/lib/: the package, and the path inside of it."""


def is_page(path: str) -> bool:
    """Return whether a path is one of the page's own files, which hold nothing of the lab's and need no key."""
    return path in ENTRANCES or path == MLFLOW or path.startswith("/page/")


def install(app: FastAPI) -> None:
    """Give the application the page. Its files are looked up once; one that is changed is read again."""
    files = dict(_files())

    async def answer(request: Request) -> Response:
        name = ENTRANCES.get(request.url.path) or str(request.path_params["name"])
        path = files.get(name)
        if path is None:
            raise NotFound(f"the page has no file {name!r}")
        return await run_sync(answer_file, request, path)

    async def to_the_page(_request: Request) -> Response:
        return RedirectResponse("/?mlflow", 307)  # the browser keeps what stands behind the #, which no server sees

    for entrance in ENTRANCES:
        app.router.routes.append(Route(entrance, answer))
    app.router.routes.append(Route(MLFLOW, to_the_page))
    app.router.routes.append(Route("/page/{name:path}", answer))


def _files() -> Iterator[tuple[str, Path]]:
    """Yield every file by its name under /page/. The packages of libraries are found, and not imported."""
    for path in STATIC.rglob("*.*"):
        yield path.relative_to(STATIC).as_posix(), path
    for name, (package, inside) in LIBRARIES.items():
        found = importlib.util.find_spec(package)
        if found is not None and found.submodule_search_locations:
            yield f"lib/{name}", Path(found.submodule_search_locations[0], inside)


def answer_file(request: Request, path: Path, policy: str = PAGE) -> Response:
    """Return a file, or 304: a browser asks each time, so that it never has the files of two versions."""
    content = path.read_bytes()
    tag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Content-Security-Policy": policy}
    known = unchanged(request, tag)
    if known is not None:
        known.headers.update(headers)
        return known
    return Response(content, media_type=guess_type(path.name)[0], headers=headers)
