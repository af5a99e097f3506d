"""A browser's session: begun with a key, no use to pages of elsewhere, and over when it should be."""

import base64
import json
import time
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.datastructures import Headers
from starlette.responses import Response

from api.app import create_app
from api.keys import stored
from api.sessions import COOKIE, Sessions
from core.settings import Settings
from core.store import Database
from tests.api.keyed import Make, Sent, look_again, sent_with

HOOK = {"url": "https://lab.example/"}
OURS = {"Origin": "http://127.0.0.1"}


def sign_in(client: TestClient, sent: Sent) -> str:
    """Begin a session, which the client's own store of cookies does not keep; return its cookie."""
    answer = client.post("/session", headers=sent)
    assert answer.status_code == 201, answer.text
    cookie = answer.cookies[COOKIE]
    client.cookies.clear()
    return cookie


def with_cookie(cookie: str, **more: str) -> Sent:
    return {"Cookie": f"{COOKIE}={cookie}", **more}


def test_a_session_is_its_key_without_the_key(client: TestClient, make: Make) -> None:
    anna = make("anna")
    answer = client.post("/session", headers=anna)
    said = answer.headers["set-cookie"]
    assert {part.strip() for part in said.split(";")[1:]} == {"HttpOnly", "Max-Age=43200", "Path=/", "SameSite=strict"}
    assert anna["Authorization"].split("_", 2)[2] not in said  # a secret may have such a line itself
    mine = with_cookie(answer.cookies[COOKIE])  # of this very session: another one ends a second later
    client.cookies.clear()
    told = client.get("/me", headers=mine).json()
    assert (told["id"], told["scope"]) == ("anna", "submit")
    assert told["session_expires_at"] == answer.json()["session_expires_at"]
    assert client.get("/me", headers=anna).json()["session_expires_at"] is None
    assert client.post("/webhooks", json=HOOK, headers=mine | OURS).status_code == 201
    assert len(client.get("/webhooks", headers=anna).json()["items"]) == 1


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, 403),  # no browser of today, or one that says nothing
        ({"Sec-Fetch-Site": "none"}, 403),  # nobody types a post
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", **OURS}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        (OURS, 201),
    ],
)
def test_only_a_page_of_the_service_changes_something_with_a_session(
    client: TestClient, make: Make, said: Sent, status: int
) -> None:
    mine = with_cookie(sign_in(client, make("anna")))
    assert client.post("/webhooks", json=HOOK, headers=mine | said).status_code == status
    assert len(client.get("/webhooks", headers=mine | said).json()["items"]) == (status == 201)
    assert client.delete("/session", headers=mine | said).status_code == (204 if status == 201 else 403)


def test_signing_out_ends_a_session_in_every_process_wherever_its_cookie_lies(
    client: TestClient, make: Make, settings: Settings
) -> None:
    mine = with_cookie(sign_in(client, make("anna")), **OURS)
    other = with_cookie(sign_in(client, make("ben")))
    with TestClient(create_app(settings), base_url="http://lab.example") as another:
        assert another.get("/me", headers=mine).status_code == 200
        gone = client.delete("/session", headers=mine)
        assert (gone.status_code, "Max-Age=0" in gone.headers["set-cookie"]) == (204, True)
        look_again(another)
        for one in (client, another):
            refused = one.get("/me", headers=mine)
            assert (refused.status_code, "signed out" in refused.json()["detail"]) == (401, True)
            assert one.get("/me", headers=other).status_code == 200


@pytest.mark.parametrize("ends", ["revoked", "rotated", "narrowed"])
def test_a_session_is_worth_what_its_key_is_worth(
    client: TestClient, make: Make, database: Database, ends: str
) -> None:
    anna = make("anna")
    mine = with_cookie(sign_in(client, anna), **OURS)
    with database.transaction() as session:
        if ends == "revoked":
            stored.revoke(session, "anna")
        elif ends == "rotated":
            stored.rotate(session, "anna")
        else:
            stored._row(session, "anna").scope = "read"
    look_again(client)
    narrowed = ends == "narrowed"
    assert client.get("/me", headers=mine).status_code == (200 if narrowed else 401)
    assert client.post("/webhooks", json=HOOK, headers=mine).status_code == (403 if narrowed else 401)
    assert client.delete("/session", headers=mine).status_code == (204 if narrowed else 401)


def test_nobody_makes_a_session_up(client: TestClient, make: Make) -> None:
    cookie = sign_in(client, make("anna"))
    make("admin", "scope=admin")
    body, _, signature = cookie.partition(".")
    said = json.loads(base64.urlsafe_b64decode(body + "=="))
    forged = base64.urlsafe_b64encode(json.dumps(said | {"who": "@admin", "key": None}).encode()).decode().rstrip("=")
    for bad in (
        f"{forged}.{signature}",
        f"{body}.",
        body,
        f"{body}.{'0' * 64}",
        "",
        ".",
        "x.y",
        f"{body}.{signature}0",
    ):
        assert client.get("/me", headers=with_cookie(bad)).status_code == 401, bad
    assert client.get("/me", headers=with_cookie(cookie)).status_code == 200


def test_a_session_needs_a_key_and_is_none_of_a_session(client: TestClient, make: Make) -> None:
    assert client.post("/session").status_code == 409, "nobody needs a key yet"
    anna = make("anna")
    assert client.post("/session").status_code == 401
    mine = with_cookie(sign_in(client, anna), **OURS)
    assert client.post("/session", headers=mine).status_code == 409, "or it would never end"
    assert client.delete("/session", headers=anna).status_code == 204


def test_a_session_expires() -> None:
    for seconds, expected in ((60.0, True), (-1.0, False)):
        sessions, answer = Sessions(b"s" * 32, seconds=seconds, secure=False), Response()
        made = sessions.begin(answer, {"type": "http"}, "anna")
        assert (made.expires_at > time.time()) is expected
        assert (sessions.find(_asked(answer)) == made) is expected
        assert Sessions(b"t" * 32, seconds=seconds, secure=False).find(_asked(answer)) is None


@pytest.mark.parametrize(("scheme", "secure"), [("https", False), ("http", True)])
def test_a_cookie_of_tls_is_for_tls_alone(scheme: str, secure: bool) -> None:
    sessions, answer = Sessions(b"s" * 32, seconds=60, secure=secure), Response()
    sessions.begin(answer, {"type": "http", "scheme": scheme}, "anna")
    assert answer.headers["set-cookie"].startswith(f"__Host-{COOKIE}=")
    assert "Secure" in answer.headers["set-cookie"]
    asked = _asked(answer) | {"scheme": scheme}
    assert sessions.find(asked) is not None
    assert sessions.get(asked, "another") is None, "a cookie is none of another name"


def _asked(answer: Response) -> dict[str, Any]:
    cookie = answer.headers["set-cookie"].partition(";")[0]
    return {"type": "http", "headers": Headers({"Cookie": cookie}).raw}


def test_a_key_that_comes_with_a_session_is_the_one_who_asks(client: TestClient, make: Make) -> None:
    anna, ben = make("anna"), make("ben")
    both = with_cookie(sign_in(client, anna)) | ben
    assert client.get("/me", headers=both).json()["id"] == "ben"
    assert client.get("/me", headers=with_cookie(sign_in(client, anna)) | sent_with("initlab_ben_x")).status_code == 401
