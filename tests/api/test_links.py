"""Read-only links: one experiment to whoever has the link, for a time, and no longer than its maker sees it."""

import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api import links
from api.keys import stored
from api.sessions import COOKIE, LINK_COOKIE
from core.store import Database
from tests.api.held import service_of
from tests.api.keyed import Make, Sent, look_again, sent_with

TINY = {"arms": [{"label": "a"}, {"label": "b"}], "seeds": 1, "epochs": 1}
OPENED = ["", "/report", "/runs", "/metrics", "/history", "/environments", "/plots", "/plots/loss.json", "/plots.zip"]
OURS = {"Sec-Fetch-Site": "same-origin"}


def posted(client: TestClient, sent: Sent, project: str = "default") -> int:
    answer = client.post("/experiments", json=TINY, headers=sent, params={"project": project})
    assert answer.status_code == 202, answer.text
    return int(answer.json()["id"])


def linked(client: TestClient, sent: Sent, experiment: int, **asked: Any) -> Any:
    answer = client.post(f"/experiments/{experiment}/links", json=asked, headers=sent)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_link_opens_one_experiment_to_read_and_nothing_else(client: TestClient, make: Make) -> None:
    anna = make("anna")
    mine, other = posted(client, anna), posted(client, anna)
    made = linked(client, anna, mine)
    assert made["url"] == f"http://127.0.0.1/#/shared/{made['token']}"
    sent = sent_with(made["token"])
    assert {
        path: client.get(f"/experiments/{mine}{path}", headers=sent).status_code for path in OPENED
    } == dict.fromkeys(OPENED, 200)
    for file in ("bundle.zip", "experiment.eln"):  # once it has ended
        assert client.get(f"/experiments/{mine}/{file}", headers=sent).status_code == 409
        assert client.get(f"/experiments/{other}/{file}", headers=sent).status_code == 403
    me = client.get("/me", headers=sent).json()
    assert (me["id"], me["link"], me["projects"], me["scope"]) == (None, mine, [], "read")
    run = client.get(f"/experiments/{mine}/runs", headers=sent).json()["items"][0]["id"]
    for path in (f"/experiments/{other}", "/experiments", f"/runs/{run}", "/workers", "/datasets", "/projects",
                 f"/experiments/0{mine}", f"/experiments/{mine}/../{other}", "/catalog", "/metrics"):  # fmt: skip
        assert client.get(path, headers=sent).status_code == 403, path
    for method, path in (("POST", "cancel"), ("PATCH", ""), ("DELETE", ""), ("POST", "links"), ("POST", "pause")):
        answer = client.request(method, f"/experiments/{mine}/{path}".rstrip("/"), headers=sent, json={})
        assert (answer.status_code, answer.json()["detail"]) == (
            403,
            f"this link opens experiment {mine}, to read it, and nothing else",
        )
    assert client.post("/experiments", json=TINY, headers=sent).status_code == 403
    assert client.post("/experiments/preview", json=TINY, headers=sent).status_code == 403


def test_a_browser_keeps_a_link_in_a_cookie_and_a_session_comes_first(client: TestClient, make: Make) -> None:
    anna, ben = make("anna"), make("ben")
    mine = posted(client, anna)
    token = linked(client, anna, mine)["token"]
    answer = client.post("/session", headers=sent_with(token))
    assert (answer.status_code, answer.json()["link"]) == (201, mine)
    assert {"HttpOnly", "SameSite=strict"} < {part.strip() for part in answer.headers["set-cookie"].split(";")}
    session = client.post("/session", headers=ben).cookies[COOKIE]
    client.cookies.clear()
    cookie = f"{LINK_COOKIE}={answer.cookies[LINK_COOKIE]}"
    assert client.get(f"/experiments/{mine}", headers={"Cookie": cookie}).status_code == 200
    assert client.post(f"/experiments/{mine}/cancel", headers={"Cookie": cookie, **OURS}).status_code == 403
    assert client.get("/me", headers={"Cookie": f"{cookie}; {COOKIE}={session}"}).json()["id"] == "ben"
    assert client.get("/me", headers={"Cookie": f"{COOKIE}={answer.cookies[LINK_COOKIE]}"}).status_code == 401
    gone = client.delete("/session", headers={"Cookie": cookie, **OURS})
    assert (gone.status_code, f'{LINK_COOKIE}=""' in gone.headers.get_list("set-cookie")[1]) == (204, True)


def test_a_link_opens_its_experiment_to_who_is_signed_in_and_does_not_see_it(
    client: TestClient, make: Make, admin: Sent
) -> None:
    """The rest of what they ask for is theirs, and what they see without a link they see as themselves."""
    anna, ben = make("anna"), make("ben")
    closed = {"name": "nlp", "members": {"anna": "member"}}
    assert client.post("/projects", json=closed, headers=admin).status_code == 201
    mine, public, other = posted(client, anna, "nlp"), posted(client, ben), posted(client, anna, "nlp")
    session = client.post("/session", headers=ben).cookies[COOKIE]
    client.cookies.clear()
    signed_in = {"Cookie": f"{COOKIE}={session}"}
    made = linked(client, anna, mine)
    opened = client.post("/session", headers=sent_with(made["token"])).cookies[LINK_COOKIE]
    client.cookies.clear()
    assert client.get(f"/experiments/{mine}", headers=signed_in).status_code == 404
    both = {"Cookie": f"{COOKIE}={session}; {LINK_COOKIE}={opened}"}
    assert {path: client.get(f"/experiments/{mine}{path}", headers=both).status_code for path in OPENED} == (
        dict.fromkeys(OPENED, 200)
    )
    assert client.get("/me", headers=both).json()["id"] == "ben"
    assert client.get(f"/experiments/{other}", headers=both).status_code == 404
    assert client.post(f"/experiments/{mine}/cancel", headers=both | OURS).status_code == 404
    assert client.post(f"/experiments/{public}/cancel", headers=both | OURS).status_code == 202
    assert client.delete(f"/experiments/{mine}/links/{made['id']}", headers=anna).status_code == 204
    look_again(client)
    assert client.get(f"/experiments/{mine}", headers=both).status_code == 404


@pytest.mark.parametrize("how", ["expired", "forged", "ended", "revoked", "rotated", "deleted", "role"])
def test_a_link_ends_with_all_that_it_stands_on(
    client: TestClient, make: Make, admin: Sent, database: Database, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    anna = make("anna")
    members = {"name": "nlp", "members": {"anna": "member"}}
    assert client.post("/projects", json=members, headers=admin).status_code == 201
    mine = posted(client, anna, "nlp")
    made = linked(client, anna, mine, hours=2)
    token = made["token"]

    def status() -> int:
        return client.get(f"/experiments/{mine}", headers=sent_with(token)).status_code

    assert status() == 200
    if how == "expired":
        later = time.time() + 2 * 3600
        monkeypatch.setattr("api.sessions.time.time", lambda: later)
    elif how == "forged":
        body, _, signature = token.removeprefix(links.PREFIX).partition(".")
        token = f"{links.PREFIX}{body}x.{signature}"
    elif how == "ended":
        assert client.delete(f"/experiments/{mine}/links/{made['id']}", headers=anna).status_code == 204
    elif how in ("revoked", "rotated"):
        with database.transaction() as session:
            (stored.revoke if how == "revoked" else stored.rotate)(session, "anna")
    elif how == "deleted":
        assert client.post(f"/experiments/{mine}/cancel", headers=anna).status_code == 202
        assert client.delete(f"/experiments/{mine}", headers=anna).status_code == 204
    else:
        gone = client.patch("/projects/nlp", json={"members": {"anna": None}}, headers=admin)
        assert gone.status_code == 200, gone.text
    look_again(client)
    assert status() == (404 if how in ("deleted", "role") else 401)


def test_only_who_may_change_an_experiment_makes_links_to_it(client: TestClient, make: Make, admin: Sent) -> None:
    anna, ben, reader = make("anna"), make("ben"), make("reader", "scope=read")
    mine = posted(client, anna)
    for sent in (ben, reader):
        assert client.post(f"/experiments/{mine}/links", json={}, headers=sent).status_code == 403
    assert client.post(f"/experiments/{mine + 1}/links", json={}, headers=anna).status_code == 404
    for hours in (0, 721, 1.5, "x"):
        assert client.post(f"/experiments/{mine}/links", json={"hours": hours}, headers=anna).status_code == 422
    link = linked(client, admin, mine, hours=720)
    assert client.delete(f"/experiments/{mine}/links/{link['id']}", headers=ben).status_code == 403
    assert client.get(f"/experiments/{mine}", headers=sent_with(link["token"])).status_code == 200


def test_requests_with_a_link_do_not_count_for_its_maker(client: TestClient, make: Make) -> None:
    anna = make("anna", "requests=3/minute")
    mine = posted(client, anna)
    sent = sent_with(linked(client, anna, mine)["token"])
    assert [client.get("/me", headers=sent).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert client.get("/me", headers=anna).status_code == 200


def test_where_nobody_needs_a_key_nobody_needs_a_link(client: TestClient) -> None:
    mine = posted(client, {})
    answer = client.post(f"/experiments/{mine}/links", json={})
    assert (answer.status_code, "asks nobody for a key" in answer.json()["detail"]) == (409, True)
    assert service_of(client).keys.is_needed is False
