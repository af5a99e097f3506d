"""Sessions of browsers: a cookie that says who signed in, signed so that nobody else can have said it."""

import base64
import hmac
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import Scope

COOKIE = "initlab_session"
LINK_COOKIE = "initlab_link"
STRICT = frozenset({COOKIE, LINK_COOKIE})
"""Cookies that no page of elsewhere has a browser send, however it leads here."""
SECURE = "__Host-"
"""Before the names of cookies that come over TLS alone: browsers take no such cookie of a name beside this one's."""


@dataclass(frozen=True, kw_only=True)
class BrowserSession:
    """One sign-in: of whom, until when, and by what."""

    id: str
    who: str
    """A key's id, or `@user`."""
    expires_at: int
    """Seconds since 1970."""
    key: str | None = None
    """The beginning of its key's hash: the session ends with that very key. None: a provider vouched for the user."""
    groups: Sequence[str] = ()
    """Of the user, as they were when it signed in: those that decide something here."""


class Sessions:
    """Makes and reads the cookies of one service."""

    def __init__(self, secret: bytes, *, seconds: float, secure: bool) -> None:
        """`secret` signs, and is shared by all processes; with `secure` cookies are for TLS alone, whoever asks."""
        self._secret = secret
        self._seconds = seconds
        self._secure = secure

    def begin(
        self, response: Response, scope: Scope, who: str, key: str | None = None, groups: Sequence[str] = ()
    ) -> BrowserSession:
        """Sign a browser in with the answer to its request."""
        said = {"id": secrets.token_hex(16), "who": who, "key": key, "groups": groups}
        return BrowserSession(**self.set(response, scope, COOKIE, said, self._seconds))

    def forget(self, response: Response, scope: Scope, name: str = COOKIE) -> None:
        """Have the browser forget a cookie, its session's unless another is named."""
        self._put(response, scope, name, "", 0)

    def find(self, scope: Scope) -> BrowserSession | None:
        """Return the session of a request, if it brings one that is ours and has not expired."""
        said = self.get(scope, COOKIE)
        return None if said is None else BrowserSession(**said | {"groups": tuple(said["groups"])})

    def set(
        self,
        response: Response,
        scope: Scope,
        name: str,
        said: Mapping[str, Any],
        seconds: float = 0.0,
        *,
        until: int | None = None,
    ) -> dict[str, Any]:
        """Have the browser bring this with its requests for so many seconds, signed; return it with `expires_at`.

        `until` is that moment itself, in place of `seconds`.
        """
        if until is not None:
            seconds = until - time.time()
        text, signed = self.sign(name, said, seconds)
        self._put(response, scope, name, text, int(seconds))
        return signed

    def get(self, scope: Scope, name: str) -> dict[str, Any] | None:
        """Return what was set, where the request brings it as it was signed, and in time."""
        brought = cookie_parser(Headers(scope=scope).get("cookie", ""))
        return self.verified(name, brought.get(self._name(scope, name), ""))

    def sign(self, name: str, said: Mapping[str, Any], seconds: float) -> tuple[str, dict[str, Any]]:
        """Return this as a text for so many seconds, signed under a name, and as it says it, with `expires_at`."""
        said = {**said, "expires_at": int(time.time() + seconds)}
        body = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
        return f"{body}.{self._signature(name, body)}", said

    def verified(self, name: str, text: str) -> dict[str, Any] | None:
        """Return what such a text says, where it was signed here, under that name, and has not expired."""
        body, _, signature = text.partition(".")
        if not hmac.compare_digest(self._signature(name, body).encode(), signature.encode()):
            return None
        said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=="))
        return said if said["expires_at"] > time.time() else None

    def _put(self, response: Response, scope: Scope, name: str, value: str, seconds: int) -> None:
        # What signs in comes back from the provider's site. The page itself needs no cookie: only its calls bring one.
        response.set_cookie(
            self._name(scope, name),
            value,
            max_age=seconds,
            path="/",
            secure=self._is_secure(scope),
            httponly=True,
            samesite="strict" if name in STRICT else "lax",
        )

    def _name(self, scope: Scope, name: str) -> str:
        return SECURE + name if self._is_secure(scope) else name

    def _is_secure(self, scope: Scope) -> bool:
        return self._secure or scope.get("scheme") == "https"

    def _signature(self, name: str, body: str) -> str:
        """Return the signature of a cookie: of its name too, so that none passes for another."""
        return hmac.new(self._secret, f"cookie {name}={body}".encode(), "sha256").hexdigest()
