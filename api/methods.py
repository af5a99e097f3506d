"""Methods: HEAD and OPTIONS of every path, and 405 with all that a path has."""

from collections.abc import Sequence

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem


class _Enough(Exception):
    """The beginning of an answer was all that was asked for."""


class MethodsMiddleware:
    """ASGI middleware that answers HEAD as GET without its body, OPTIONS with `Allow`, and what a path has not by 405.

    Starlette's own 405 names the methods of one route, and a path may have several.
    """

    def __init__(self, app: ASGIApp, routers: Sequence[APIRouter]) -> None:
        self._app = app
        self._routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        routes = self._at(scope["path"]) if scope["type"] == "http" else []
        allowed = _methods(routes)
        if not routes:  # not a path of the API: its documentation, or nothing
            await self._app(scope, receive, send)
            return
        scope["route"] = routes[0]  # requests are counted by it, also those that come to none
        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers={"Allow": ", ".join(allowed)})(scope, receive, send)
        elif scope["method"] not in allowed:
            answer = problem(405, "Method not allowed", f"this path has {', '.join(allowed)}")
            answer.headers["Allow"] = ", ".join(allowed)
            await answer(scope, receive, send)
        elif scope["method"] == "HEAD":
            await self._head(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _at(self, path: str) -> list[APIRoute]:
        """Return the routes of a path; none of one that is not there."""
        exact = [route for route in self._routes if route.path == path]  # before those with an id in that place
        return exact or [route for route in self._routes if route.path_regex.match(path)]

    async def _head(self, scope: Scope, receive: Receive, send: Send) -> None:
        endless = False

        async def without_body(message: Message) -> None:
            nonlocal endless
            if message["type"] == "http.response.start":
                endless = Headers(raw=message["headers"]).get("content-type", "").startswith("text/event-stream")
                await send(message)
            elif not message.get("more_body"):
                await send({"type": "http.response.body", "body": b""})
            elif endless:  # what ends is read to its end, which closes its file
                await send({"type": "http.response.body", "body": b""})
                raise _Enough

        try:
            await self._app({**scope, "method": "GET"}, receive, without_body)
        except _Enough:
            return


def _methods(routes: Sequence[APIRoute]) -> list[str]:
    """Return the methods of a path with these routes."""
    found = {method for route in routes for method in route.methods or ()}
    return sorted({*found, "OPTIONS", *(["HEAD"] if "GET" in found else [])})
