"""Renders every error as `application/problem+json` (RFC 9457), in one place."""

import json
import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from api.policies import ON_EVERY_ANSWER
from core.errors import InitlabError, Problem
from core.logs import request_id
from core.registry import problems_of

log = logging.getLogger(__name__)

TEXTS = {
    "There was an error parsing the body": (
        "the body is not JSON that can be read: nested too deeply, a number too long, or not UTF-8"
    ),
    "Content Too Large": "the body is larger than this call takes: 1 MB, and 1 GiB for a data set's file",
}


def problem(status: int, title: str, detail: str, errors: Sequence[Problem] = ()) -> Response:
    """Return a problem document. ASCII only: what a client sent may hold characters that UTF-8 cannot."""
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    body["errors"] = [{"path": p.path, "message": p.message, "known": list(p.known)} for p in errors]
    return Response(json.dumps(body), status, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Give the application its handlers."""
    app.add_exception_handler(InitlabError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for unavailable in (OperationalError, InterfaceError, DBAPIError, PoolTimeout):
        app.add_exception_handler(unavailable, _database)
    app.add_exception_handler(DataError, _refused_by_database)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)


def _ours(_request: Request, error: Exception) -> Response:
    assert isinstance(error, InitlabError)  # noqa: S101 what it was installed for
    answer = problem(error.status, error.title, error.detail, error.problems)
    if error.retry_after is not None:
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    body = getattr(request.scope.get("route"), "body_field", None)
    model = body.field_info.annotation if body is not None else None
    problems = []
    for one in error.errors():
        inside = one | {"loc": () if one["type"] == "json_invalid" else one["loc"][1:]}
        problems += problems_of([inside], model if one["loc"][0] == "body" else None)
    detail = "; ".join(f"{p.path}: {p.message}" if p.path else p.message for p in problems)
    return problem(422, "Invalid request", detail, problems)


def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    answer = problem(error.status_code, _title(error.status_code), TEXTS.get(str(error.detail), str(error.detail)))
    answer.headers.update(error.headers or {})
    return answer


def _database(_request: Request, error: Exception) -> Response:
    log.warning("the database did not answer: %s", error)
    answer = problem(503, "Service unavailable", "the database cannot be reached now; try again")
    answer.headers["Retry-After"] = "1"
    return answer


def _refused_by_database(_request: Request, error: Exception) -> Response:
    """Render what the database takes for no data: a number or a text that its columns cannot hold."""
    log.warning("the database refused a request's data: %s", error)
    return problem(422, "Invalid request", "a value is none that the database can hold: out of range, or no text")


def _gone(_request: Request, _error: Exception) -> Response:
    """Answer a client that has left in the middle of its body. Nobody hears it, and the log need not either."""
    return problem(400, "Bad request", "the body ended before its time")


def _unexpected(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    detail = f"this is a fault of the service; its log has the details, with request={request_id()}"
    answer = problem(500, "Internal error", detail)
    answer.headers.update(ON_EVERY_ANSWER | {"X-Request-ID": request_id()})  # answered outside of all middleware
    return answer


def _title(status: int) -> str:
    titles = {400: "Bad request", 404: "Not found", 405: "Method not allowed", 406: "Not acceptable"}
    return titles.get(status, "Content too large" if status == 413 else "Error")
