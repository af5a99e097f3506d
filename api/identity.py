"""Find the one who sends a request: by key or link, by a proxy, or by a browser's cookies, in this order."""

import base64
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from limits import RateLimitItem
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope as Request

from api import links
from api.browsers import SAFE, is_same_origin
from api.callers import Caller
from api.errors import problem
from api.keys import PREFIX, Key, KeyRing
from api.mlflow_paths import BASE
from api.sessions import BrowserSession
from api.users import scope_of

if TYPE_CHECKING:
    from api.deps import Service

KEY_DIGITS = 16
"""Of a key's hash, in a session that it began: enough to tell it from the key that replaces it."""


class Identified(NamedTuple):
    """The one who asks, and the requests that it may send in a time; None: any number."""

    caller: Caller
    requests: RateLimitItem | None = None


def identify(service: "Service", scope: Request, headers: Headers) -> Identified | Response:
    """Return who sends a request, or the refusal of one that nobody vouches for."""
    keys = service.keys
    scheme, _, sent = headers.get("authorization", "").partition(" ")
    sent = sent.strip()
    if scheme.lower() == "basic" and scope["path"].startswith(f"{BASE}/"):
        scheme, sent = "bearer", _password(sent)  # MLflow's clients know a user and a password
    if sent.startswith(links.PREFIX):
        return _by_link(service, links.read(service.sessions, sent), scope)
    named = service.users.find(scope, headers)
    if sent and not (named and not sent.startswith(PREFIX)):  # a proxy may send what it signed its user in with
        return _by_key(keys, keys.owner(sent) if scheme.lower() == "bearer" else None)
    if named:
        user, groups = named
        return _or_by_link(service, Identified(_user(service, user, groups)), scope)
    session = service.sessions.find(scope)
    if session is None:
        link = links.find(service.sessions, scope)
        return refusal(keys, None, sent=False) if link is None else _by_link(service, link, scope)
    return _or_by_link(service, _by_session(service, session, scope["method"], headers), scope)


def refusal(keys: KeyRing, key: Key | None, *, sent: bool) -> Response:
    """Return the answer to who sent none of the keys, or one that has ended."""
    if key is None and not keys.is_known and (sent or not keys.has_file):
        answer = problem(503, "Service unavailable", "the API keys cannot be read now; try again")
        answer.headers["Retry-After"] = "1"
        return answer
    return _unauthorized(f"this API key {key.ended}" if key else "send an API key: Authorization: Bearer <key>")


def _password(sent: str) -> str:
    """Return the password of `Authorization: Basic`, which is a key; the user may be anything."""
    try:
        return base64.b64decode(sent, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def _by_key(keys: KeyRing, who: str | None, session: BrowserSession | None = None) -> Identified | Response:
    key = keys.get(who)
    if who is None or key is None or key.ended:
        return refusal(keys, key, sent=True)
    keys.note_use(who)
    return Identified(Caller(who, key.scope, keys.roles, session=session), key.requests)


def _by_session(service: "Service", session: BrowserSession, method: str, headers: Headers) -> Identified | Response:
    """A cookie comes with whatever a browser sends: what changes something has to show that our own page sent it."""
    if method not in SAFE and not is_same_origin(headers):
        return problem(403, "Forbidden", "with a session only pages of this service may change something")
    if session.id in service.keys.ended_sessions:
        return _unauthorized("this session was signed out: sign in again")
    if session.key is None:
        return Identified(_user(service, session.who, session.groups, session))
    key = service.keys.get(session.who)
    if key is None or not key.digest.startswith(session.key):
        return _unauthorized("the key of this session is another one now: sign in again")
    return _by_key(service.keys, session.who, session)


def _by_link(service: "Service", link: links.Link | None, scope: Request) -> Identified | Response:
    """A link is worth what its maker sees at the time, of one experiment."""
    if link is None or link.id in service.keys.ended_sessions:
        return _unauthorized("this link has ended: ask for another one")
    if link.key is None:
        found: Identified | Response = Identified(_user(service, link.who, link.groups))
    else:
        key = service.keys.get(link.who)
        if key is None or key.ended or not key.digest.startswith(link.key):
            return _unauthorized("the key that made this link has ended, and the link with it")
        found = _by_key(service.keys, link.who)
    if isinstance(found, Response):
        return found
    refused = link.refusal(scope["method"], scope["path"])
    return refused or Identified(replace(found.caller, link=link, session=None), found.requests)


def _or_by_link(service: "Service", found: Identified | Response, scope: Request) -> Identified | Response:
    """Return who is signed in, or in their place the link that opens what is asked for and not theirs to see."""
    link = links.find(service.sessions, scope)
    if isinstance(found, Response) or link is None:
        return found
    if not link.adds(scope["method"], scope["path"], found.caller.hidden):
        return found
    opened = _by_link(service, link, scope)
    return found if isinstance(opened, Response) else opened


def _user(service: "Service", user: str, groups: Sequence[str], session: BrowserSession | None = None) -> Caller:
    scope = scope_of(service.settings, user, groups)
    return Caller(user, scope, service.keys.roles, groups, session)


def _unauthorized(text: str) -> Response:
    answer = problem(401, "Unauthorized", text)
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer
