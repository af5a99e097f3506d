"""Sign-in at a provider, over HTTP to a real one: who comes back as whom, and whose word is not taken."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from core.errors import Unavailable
from core.settings import Settings
from tests.api.held import service_of
from tests.api.oidc_provider import CLIENT, SECRET, USERS, Lying, new_key, running

PUBLIC = "http://127.0.0.1"
OURS = {"Origin": PUBLIC}
KEY = new_key()
Enter = Callable[..., TestClient]


@pytest.fixture(scope="module")
def listening() -> Iterator[Lying]:
    with running(f"{PUBLIC}/session/callback", KEY) as provider:
        yield provider


@pytest.fixture
def provider(listening: Lying) -> Lying:
    """A provider that tells the truth, and at which Anna is signed in."""
    listening.lies, listening.user, listening.claims = {}, "anna", {}
    return listening


@pytest.fixture
def enter(provider: Lying, client: TestClient, settings: Settings) -> Iterator[Enter]:
    """Gives a browser at the service, whose users sign in at the provider."""
    del client  # which made the database
    opened: list[TestClient] = []

    def enter(**more: Any) -> TestClient:
        given = {
            "oidc_issuer": provider.configuration_information["issuer"],
            "oidc_client_id": CLIENT,
            "oidc_client_secret": SECRET,
            "public_url": PUBLIC,
            "group_scopes": {"lab": "submit"},
            "data_dir": settings.data_dir,
            "sweep_seconds": 3600,
        }
        browser = TestClient(
            create_app(Settings(**(given | more))), base_url=PUBLIC, client=("192.0.2.7", 1), follow_redirects=False
        )
        opened.append(browser.__enter__())
        return browser

    yield enter
    for browser in opened:
        browser.__exit__()


def away(browser: TestClient, **asked: str) -> str:
    """Send a browser to the provider; return the address that this sends it back to."""
    there = browser.get("/session/login", params=asked)
    assert there.status_code == 302, there.text
    back = httpx.get(there.headers["location"], follow_redirects=False)
    assert back.status_code == 302, back.text
    return str(back.headers["location"])


def test_a_user_signs_in_and_is_somebody_until_signing_out(enter: Enter, caplog: pytest.LogCaptureFixture) -> None:
    browser = enter()
    assert browser.get("/me").status_code == 401
    with caplog.at_level("INFO", "api.audit"):
        back = browser.get(away(browser, next="/experiments/1?a=b"))
    said = [(one.getMessage(), one.by, one.address) for one in caplog.records if one.name == "api.audit"]  # type: ignore[attr-defined]
    assert said == [("GET /session/callback: 303", "@sub-anna", "192.0.2.7")]
    assert (back.status_code, back.headers["location"]) == (303, "/experiments/1?a=b")
    told = browser.get("/me").json()
    assert (told["id"], told["scope"], told["groups"]) == ("@sub-anna", "submit", ["%lab"])
    hook = {"url": "https://lab.example/"}
    assert browser.post("/webhooks", json=hook, headers=OURS).status_code == 201
    assert browser.post("/webhooks", json=hook).status_code == 403, "as it may be a page of elsewhere"
    assert browser.post("/session", headers=OURS).status_code == 409
    mine = browser.cookies["initlab_session"]
    assert browser.delete("/session", headers=OURS).status_code == 204
    assert browser.get("/me").status_code == 401
    assert browser.get("/me", headers={"Cookie": f"initlab_session={mine}"}).status_code == 401


def test_the_browser_is_sent_with_a_challenge_a_state_and_a_nonce(enter: Enter, provider: Lying) -> None:
    browser = enter()
    sent = [parse_qs(urlsplit(browser.get("/session/login").headers["location"]).query) for _ in range(2)]
    for one in sent:
        assert one["code_challenge_method"] == ["S256"]
        assert (one["response_type"], one["scope"]) == (["code"], ["openid profile email"])
    for name in ("state", "nonce", "code_challenge"):
        assert sent[0][name] != sent[1][name]
        assert len(sent[0][name][0]) >= 20
    before = len(provider.verifiers)
    back = browser.get(away(browser))
    assert (back.status_code, back.headers["location"]) == (303, "/"), "to the page, which needs no cookie"
    assert len(provider.verifiers) == before + 1, "which the provider holds against the challenge"


def test_an_answer_of_the_provider_is_worth_something_once_and_to_the_browser_that_asked(enter: Enter) -> None:
    browser, another = enter(), enter()
    back = away(browser)
    for answer in (another.get(back), browser.get(back.replace("state=", "state=x")), browser.get("/session/callback")):
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
        assert "set-cookie" not in answer.headers
    back = away(browser)
    kept = browser.cookies["initlab_sign_in"]
    assert browser.get(back).status_code == 303
    again = browser.get(back, headers={"Cookie": f"initlab_sign_in={kept}"})
    assert (again.status_code, "invalid_grant" in again.json()["detail"]) == (400, True)
    refused = browser.get(away(browser).partition("?")[0] + "?error=access_denied&state=x")
    assert (refused.status_code, "access_denied" in refused.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("lie", "word"),
    [
        ({"key": new_key()}, "signature"),
        ({"audience": "another"}, "aud"),
        ({"issuer": "http://127.0.0.1:1"}, "iss"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": ""}, "nonce"),
        ({"lifetime": -3600}, "expired"),
        ({"without": ["id_token"]}, "no id_token"),
        ({"userinfo": {"sub": "sub-ben"}}, "another user"),
    ],
)
def test_a_word_that_is_not_the_providers_for_us_and_new_is_not_taken(
    enter: Enter, provider: Lying, lie: dict[str, Any], word: str
) -> None:
    browser = enter()
    back = away(browser)
    provider.lies = lie
    answer = browser.get(back)
    assert (answer.status_code, word in answer.json()["detail"]) == (400, True), answer.text
    assert browser.get("/me").status_code == 401


def test_a_token_that_nobody_signed_is_not_taken_whatever_the_provider_says_it_signs_with(
    enter: Enter, provider: Lying, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = enter()
    assert "none" in provider.configuration_information["id_token_signing_alg_values_supported"]
    monkeypatch.setitem(provider.clients[CLIENT], "id_token_signed_response_alg", "none")
    answer = browser.get(away(browser))
    assert answer.status_code == 400, answer.text


def test_a_key_that_the_provider_renews_is_looked_up_again(enter: Enter, provider: Lying) -> None:
    browser = enter()
    assert browser.get(away(browser)).status_code == 303
    provider.signing_key = new_key("two")
    try:
        assert browser.get(away(browser)).status_code == 303
    finally:
        provider.signing_key = KEY


def test_groups_decide_the_scope_and_the_roles(enter: Enter, provider: Lying) -> None:
    """Told in the token or at /userinfo; those that decide nothing are not kept."""
    browser = enter(group_scopes={"root": "admin", "lab": "submit"})
    provider.claims = {"groups": ["root"]}
    browser.get(away(browser))
    assert browser.get("/me").json()["scope"] == "admin"
    project = {"name": "nlp", "members": {"%nlp": "maintainer"}}
    assert browser.post("/projects", json=project, headers=OURS).status_code == 201
    provider.claims = {}
    browser.get(away(browser))
    told = browser.get("/me").json()
    assert (told["scope"], told["groups"]) == ("submit", ["%lab", "%nlp"])
    assert {one["name"]: one["role"] for one in told["projects"]} == {"default": "member", "nlp": "maintainer"}


def test_who_has_no_scope_does_not_come_in(enter: Enter, provider: Lying) -> None:
    provider.user = "ben"
    refused = (browser := enter()).get(away(browser))
    assert (refused.status_code, "INITLAB_USER_SCOPE" in refused.json()["detail"]) == (403, True)
    assert "initlab_session" not in browser.cookies
    browser = enter(user_scope="read")
    assert browser.get(away(browser)).status_code == 303
    assert browser.get("/me").json()["scope"] == "read"


def test_a_user_is_known_by_the_claim_of_the_setting(enter: Enter, provider: Lying) -> None:
    browser = enter(oidc_user_claim="email")
    browser.get(away(browser))
    assert browser.get("/me").json()["id"] == f"@{USERS['anna']['email']}"
    provider.user = "ben"
    browser = enter(oidc_user_claim="email", user_scope="submit")
    refused = browser.get(away(browser))
    assert (refused.status_code, "has not verified" in refused.json()["detail"]) == (403, True)
    browser = enter(oidc_user_claim="upn")
    refused = browser.get(away(browser))
    assert (refused.status_code, "INITLAB_OIDC_USER_CLAIM" in refused.json()["detail"]) == (403, True)


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "https://evil.example", "", "/a\nb", "evil"])
def test_nobody_is_sent_elsewhere_after_signing_in(enter: Enter, path: str) -> None:
    assert enter().get("/session/login", params={"next": path}).status_code == 422


def test_a_provider_that_is_away_is_said_and_asked_again(enter: Enter, provider: Lying) -> None:
    browser = enter(oidc_issuer="http://127.0.0.1:1")
    refused = browser.get("/session/login")
    assert (refused.status_code, "did not answer" in refused.json()["detail"]) == (503, True)


def test_where_no_provider_is_configured_there_is_none_and_nothing_of_it_is_loaded(client: TestClient) -> None:
    assert client.get("/session/login").status_code == 404
    assert service_of(client).open_paths == frozenset()
    sources = (Path(__file__).parents[2] / "api").rglob("*.py")
    loads = re.compile(r"^\s*(from|import) (authlib|joserfc|api\.oidc)\b|from api import .*\boidc\b", re.MULTILINE)
    assert [path.name for path in sources if loads.search(path.read_text(encoding="utf-8"))] == ["oidc.py"]


def test_a_service_without_the_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "api.oidc", raising=False)
    monkeypatch.setitem(sys.modules, "authlib.integrations.starlette_client", None)
    create_app(Settings())
    users: dict[str, Any] = {
        "oidc_issuer": "https://idp.example",
        "oidc_client_id": "x",
        "public_url": PUBLIC,
        "user_scope": "read",
    }
    with pytest.raises(Unavailable, match=r"initlab\[oidc\]"):
        create_app(Settings(**users))
