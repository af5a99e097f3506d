"""HTTP with retries: every call of the service may be repeated, so what was lost on the way is asked again."""

import json
import math
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Any, BinaryIO, NamedTuple

import httpx2 as httpx

from initlab.errors import ApiError, ClientError, Problem, SpecError, Unreachable

NOT_HERE = frozenset({404, 405, 501})
"""Statuses of a server that does not know what it was asked for."""
RETRIED = frozenset({429, 502, 503, 504})
FIRST_CONTACT = 2.0
"""Seconds for a server that has never answered: most likely it is not there."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
NO_ROUTE = "Not Found"
"""The detail of the framework's own 404: the service has no such path at all."""
_TIMEOUT = httpx.Timeout(60, connect=5)
_UPLOAD_TIMEOUT = httpx.Timeout(600, connect=5)
"""The server answers when it has read the whole file and kept what it holds."""
_NO_PROXY: dict[str, None] = {"all://127.0.0.1": None, "all://localhost": None, "all://[::1]": None}


class Upload(NamedTuple):
    """A file on its way, and the form's fields beside it; a list is a field that is repeated."""

    file: BinaryIO
    name: str
    fields: Mapping[str, str | list[str]]


class Transport:
    """The connection to one server.

    Lost connections and the statuses 429, 502, 503 and 504 are tried again with growing pauses, or when `Retry-After`
    says so, for `patience` seconds. Raises `Unreachable` when nothing answers and `ApiError` for a refusal.
    """

    def __init__(self, url: str, api_key: str, patience: float) -> None:
        if not url.startswith(("http://", "https://")):
            raise ClientError(f"The server's URL (INITLAB_URL) should begin with http:// or https://: {url!r}")
        if not (api_key.isascii() and api_key.isprintable()):
            raise ClientError("The API key (INITLAB_API_KEY) has characters that no key has")
        self.url = url.rstrip("/")
        self.patience = patience
        self._key = api_key
        self._met = False
        headers = {"User-Agent": f"initlab/{version('initlab')}"}
        if api_key:
            headers["Authorization"] = f"Bearer {api_key}"
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=_TIMEOUT, mounts=_NO_PROXY)
        weakref.finalize(self, self._http.close)  # nobody closes a client in a notebook

    def close(self) -> None:
        self._http.close()

    def impatient(self) -> "Transport":
        """Return a connection of its own to the same server, whose calls are tried once."""
        return Transport(self.url, self._key, 0.0)

    def call(self, method: str, path: str, **request: Any) -> Any:
        """Return the decoded answer; None for one without content."""
        response = self.request(method, path, **request)
        return self.decoded(response) if response.content else None

    def decoded(self, response: httpx.Response) -> Any:
        """Return an answer's JSON."""
        try:
            return response.json()
        except (json.JSONDecodeError, UnicodeDecodeError):
            path = response.url.path
            raise _another(self.url, f"no JSON at {path}") from None

    def each(self, method: str, path: str, params: Mapping[str, Any]) -> dict[str, list[Any]]:
        """Make a call about many things, page after page, and return what all of its answers have."""
        found: dict[str, list[Any]] = {"done": [], "refused": []}
        cursor: int | None = None
        while True:
            page = self.call(method, path, params={**params, "cursor": cursor})
            for name in found:
                found[name] += page[name]
            cursor = page["next"]
            if cursor is None:
                return found

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        upload: Upload | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Make one call, repeated while it may still succeed; None among `params` is left out.

        Raises `SpecError` for a body that JSON cannot say.
        """
        sent = dict(headers or {}) | ({} if body is None else {"Content-Type": "application/json"})
        content: dict[str, Any] = {} if body is None else {"content": encode(body)}
        if upload is not None:
            content = {"files": {"file": (upload.name, upload.file)}, "data": upload.fields, "timeout": _UPLOAD_TIMEOUT}
        return self._with_retries(
            self._http.build_request(method, path, params=_given(params), headers=sent, **content)
        )

    @contextmanager
    def stream(
        self, path: str, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[httpx.Response]:
        """Make a GET whose answer is read as it comes. Its start is tried again; what breaks off later raises."""
        request = self._http.build_request("GET", path, params=_given(params), headers=dict(headers or {}))
        response = self._with_retries(request, stream=True)
        try:
            yield response
        finally:
            response.close()

    def _with_retries(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        started, pause, lost = time.monotonic(), FIRST_PAUSE, False
        while True:
            failure: ApiError | Unreachable
            wait = pause
            try:
                response = self._http.send(request, stream=stream)
                if stream and response.status_code >= 400:
                    response.read()
            except httpx.TransportError as error:
                failure, lost = self.unreachable(error), True
            else:
                self._met = True
                if response.has_redirect_location:
                    raise _another(self.url, f"it sends to {response.headers['Location']}")
                if response.status_code < 400 or (lost and request.method == "DELETE" and response.status_code == 404):
                    return response
                failure = api_error(response, self.url)
                if response.status_code not in RETRIED:
                    raise failure
                wait = max(pause, retry_after(response.headers.get("Retry-After", "")))
            patience = self.patience if self._met else min(self.patience, FIRST_CONTACT)
            if time.monotonic() - started + wait > patience:
                raise failure
            time.sleep(wait)
            pause = min(2 * pause, LONGEST_PAUSE)

    def unreachable(self, error: httpx.TransportError) -> Unreachable:
        """Return a lost connection in words for people."""
        reason = str(error) or type(error).__name__
        return Unreachable(f"No answer from {self.url} ({reason}). Start a server with: initlab serve")


def _given(params: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (params or {}).items() if value is not None}


def encode(body: Any) -> bytes:
    """Return the body as JSON; raises `SpecError` for NaN, infinity, lone surrogates and objects of other kinds."""
    try:
        return json.dumps(body, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise SpecError(f"The spec has a value that JSON has not: {error}") from None


def retry_after(value: str) -> float:
    """Return the seconds to wait by a `Retry-After` header (seconds or a date); 0 where it cannot be read."""
    try:
        seconds = float(value)
    except ValueError:
        try:
            when = parsedate_to_datetime(value)
        except ValueError:
            return 0.0
        seconds = (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0


def _another(url: str, why: str) -> Unreachable:
    return Unreachable(f"What answers at {url} is not an initlab server: {why}. See INITLAB_URL.")


def api_error(response: httpx.Response, url: str) -> ApiError | Unreachable:
    """Return the answer as an error; one of a proxy, which is no problem document, keeps its status and phrase.

    `url` is what INITLAB_URL names: where it is not the beginning of a service, the error says so.
    """
    try:
        problem = response.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        problem = None
    ours = isinstance(problem, dict) and "title" in problem
    if not ours and response.status_code in NOT_HERE:
        return _another(url, f"{response.reason_phrase} ({response.status_code}) at {response.url.path}")
    if not isinstance(problem, dict):
        return ApiError(response.status_code, response.reason_phrase or "Error")
    title = str(problem.get("title") or response.reason_phrase or "Error")
    detail = str(problem.get("detail") or "")
    if response.status_code == 404 and detail == NO_ROUTE:
        detail = f"there is no {response.url.path} at {url}: see INITLAB_URL, or update the service"
    return ApiError(response.status_code, title, detail, _problems(problem.get("errors")))


def _problems(errors: object) -> list[Problem]:
    return [
        Problem(
            str(error.get("path") or ""), str(error.get("message") or ""), tuple(map(str, error.get("known") or ()))
        )
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict)
    ]
