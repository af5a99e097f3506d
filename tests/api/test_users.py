"""Users that a proxy names: taken from our proxies alone, with the scope and the roles that their groups have."""

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from api.app import create_app
from api.keys import create
from api.users import user_id
from core.errors import Forbidden
from core.settings import Settings
from tests.api.keyed import Sent, sent_with

SPEC: dict[str, Any] = {"arms": [{"label": "a"}, {"label": "b"}], "seeds": 2, "epochs": 1}
PROXY, ELSEWHERE = "10.1.2.3", "10.2.0.1"
Enter = Callable[..., TestClient]


@pytest.fixture
def enter(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Enter]:
    """Gives a client of one service, asked from an address: a proxy's unless another is named."""
    shutil.copy(migrated_sqlite, tmp_path)
    with ExitStack() as stack:

        def enter(address: str = PROXY, **settings: Any) -> TestClient:
            given = {"user_header": "X-Forwarded-User", "trusted_proxies": "10.1.0.0/16,::1", "user_scope": "submit"}
            current = Settings(data_dir=tmp_path, sweep_seconds=3600, **(given | settings))
            return stack.enter_context(
                TestClient(create_app(current), base_url="http://lab.example", client=(address, 1))
            )

        yield enter


def named(user: str, groups: str | None = None) -> Sent:
    return {"X-Forwarded-User": user} | ({} if groups is None else {"X-Forwarded-Groups": groups})


def test_a_proxy_names_the_user_who_owns_what_is_posted(enter: Enter) -> None:
    client = enter()
    assert client.get("/experiments").status_code == 401
    made = client.post("/experiments", json=SPEC, headers=named("anna@lab.example"))
    assert (made.status_code, made.json()["owner"]) == (202, "@anna@lab.example")
    here = made.headers["location"]
    assert client.post(f"{here}/cancel", headers=named("ben")).status_code == 403
    assert client.post(f"{here}/cancel", headers=named("anna@lab.example")).status_code == 202
    history = client.get(f"{here}/history", headers=named("ben")).json()["items"]
    assert [one["detail"]["by"] for one in history] == ["@anna@lab.example"] * 2


@pytest.mark.parametrize(
    ("address", "trusted", "status"),
    [
        (PROXY, "10.1.2.3", 200),
        (PROXY, "10.0.0.0/8", 200),
        ("::ffff:10.1.2.3", "10.1.2.3", 200),
        ("::1", "::1", 200),
        (ELSEWHERE, "10.1.0.0/16", 403),
        ("127.0.0.1", "10.1.0.0/16", 403),
        ("testclient", "10.1.0.0/16", 403),
    ],
)
def test_the_header_is_taken_from_our_proxies_alone(
    enter: Enter, address: str, trusted: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """From elsewhere it is refused, with a key too, and not passed over: somebody is trying, or it is set up wrong."""
    client = enter(address, trusted_proxies=trusted)
    with caplog.at_level(logging.WARNING, "api.users"):
        answer = client.get("/me", headers=named("anna"))
    assert answer.status_code == status
    assert len(caplog.records) == (status == 403)
    if status == 403:
        assert "INITLAB_TRUSTED_PROXIES" in answer.json()["detail"]
        assert client.get("/me").status_code == 401


@pytest.mark.parametrize("claims", [PROXY, f"{PROXY}, {ELSEWHERE}", f"{ELSEWHERE}, {PROXY}"])
def test_nobody_passes_for_a_proxy_by_another_header(enter: Enter, claims: str) -> None:
    client = enter(ELSEWHERE)
    assert client.get("/me", headers=named("anna") | {"X-Forwarded-For": claims}).status_code == 403
    proxied = enter().get("/me", headers=named("anna") | {"X-Forwarded-For": "192.0.2.7"})
    assert proxied.status_code == 200, "the address of the user is not that of who vouches for it"


def test_a_header_that_is_there_twice_is_refused(enter: Enter) -> None:
    """Of a proxy that adds its own to the client's, one would have to be guessed."""
    twice = [("X-Forwarded-User", "anna"), ("X-Forwarded-User", "admin")]
    assert enter().get("/me", headers=twice).status_code == 403


def test_groups_have_scopes_and_roles(enter: Enter) -> None:
    client = enter(
        groups_header="X-Forwarded-Groups",
        user_scope=None,
        group_scopes={"root": "admin", "lab": "submit", "all": "read"},
    )
    root, anna = named("root", "root"), named("anna", "lab, all,/dept/nlp")
    scopes = {
        groups: client.get("/me", headers=named("x", groups)) for groups in ("root,all", "lab,all", "all", "", "no")
    }
    assert {groups: one.json().get("scope", one.status_code) for groups, one in scopes.items()} == {
        "root,all": "admin", "lab,all": "submit", "all": "read", "": 403, "no": 403,
    }  # fmt: skip
    made = client.post("/projects", json={"name": "nlp", "members": {"%/dept/nlp": "maintainer"}}, headers=root)
    assert made.status_code == 201, made.text
    assert {one["name"]: one["role"] for one in client.get("/me", headers=anna).json()["projects"]} == {
        "default": "member",
        "nlp": "maintainer",
    }
    assert client.get("/projects/nlp", headers=named("ben", "lab")).status_code == 404
    assert client.post("/experiments", json=SPEC, headers=named("x", "all")).status_code == 403


def test_a_program_behind_the_proxy_comes_with_its_key(enter: Enter, tmp_path: Path) -> None:
    key = sent_with(create(tmp_path / "keys", "ci"))
    client = enter(api_keys_file=tmp_path / "keys")
    assert client.get("/me", headers=key | named("anna")).json()["id"] == "ci"
    token = {"Authorization": "Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln"}  # the proxy's own, of the same user
    assert client.get("/me", headers=token | named("anna")).json()["id"] == "@anna"
    assert client.get("/me", headers=token).status_code == 401


def test_without_the_setting_the_header_says_nothing(client: TestClient) -> None:
    assert client.get("/me", headers=named("anna")).json()["id"] is None


def test_a_long_name_is_cut_and_stays_one_of_its_own() -> None:
    assert user_id("anna@lab.example") == "@anna@lab.example"
    one, other = (user_id(f"somebody.with.a.long.name@department.{n}.example") for n in ("one", "two"))
    assert (len(one), len(other), one == other) == (40, 40, False)
    assert one.startswith("@somebody.with.a.long.name")
    for wrong in ("", "@anna", "an na", "anna\n", "\x00"):
        with pytest.raises(Forbidden):
            user_id(wrong)


def test_a_name_beyond_latin_letters_is_read_as_it_was_written(enter: Enter) -> None:
    sent = [(b"X-Forwarded-User", "jörg".encode())]
    assert enter().get("/me", headers=sent).json()["id"] == "@jörg"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"user_header": "X-User", "user_scope": "submit"}, "INITLAB_TRUSTED_PROXIES"),
        ({"user_header": "X-User", "trusted_proxies": "10.1.2.3"}, "no user could come in"),
        ({"groups_header": "X-Groups"}, "needs INITLAB_USER_HEADER"),
        ({"user_header": "X-User", "trusted_proxies": "proxy.example", "user_scope": "read"}, "trusted_proxies"),
        ({"oidc_issuer": "https://idp.example", "user_scope": "read"}, "INITLAB_OIDC_CLIENT_ID"),
        ({"oidc_issuer": "http://idp.example"}, "oidc_issuer"),
        ({"public_url": "lab.example"}, "public_url"),
    ],
)
def test_settings_that_let_in_everybody_or_nobody_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Settings(**given)
