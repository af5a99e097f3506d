"""Names, tags and notes edited over HTTP, and many experiments cancelled or deleted at once."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.keys import stored
from api.routes import edits
from core.settings import Settings
from core.store import Database
from tests.api.held import service_of
from tests.core.experiments.claims import queued, taken
from tests.core.experiments.fake_worker import Hand

NOTES = "Batch 64 was noisy.\n\tSee page 12 of the lab book: α = 0.1, [x] done ✅"


@pytest.fixture
def database(client: TestClient, settings: Settings) -> Iterator[Database]:
    del client  # which made it
    opened = Database(settings.database)
    yield opened
    opened.dispose()


def _edit(client: TestClient, experiment: int, body: Any, **headers: str) -> Any:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.patch(f"/experiments/{experiment}", json=body, headers=sent)


def test_name_tags_and_notes_change_and_the_spec_does_not(client: TestClient, database: Database) -> None:
    experiment = queued(database, name="untitled", tags=["old", "both"])
    here = f"/experiments/{experiment}"
    before = client.get(here).json()
    assert (before["tags"], before["notes"]) == (["both", "old"], "")
    answer = _edit(client, experiment, {"name": "weights", "tags": ["new", "both"], "notes": NOTES})
    assert answer.status_code == 200, answer.text
    after = client.get(here)
    assert (after.json(), after.headers["etag"]) == (answer.json(), answer.headers["etag"])
    changed = {"name": "weights", "tags": ["both", "new"], "notes": NOTES}
    assert after.json() == before | changed
    assert client.get("/experiments", params={"tag": "new", "name": "WEIGHTS"}).json()["total"] == 1
    assert client.get("/experiments", params={"tag": "old"}).json()["total"] == 0
    assert client.get(f"{here}/report").json()
    assert "weights" in client.get(f"{here}/report?format=md").text
    assert client.get(f"{here}/plots/loss.json").json()["title"] == "Loss: weights"
    told = client.get(f"{here}/history").json()["items"][-1]
    assert (told["kind"], told["detail"]) == ("edited", changed)


def test_what_is_left_out_stays_and_what_is_the_same_is_no_edit(client: TestClient, database: Database) -> None:
    experiment = queued(database, name="a", tags=["t"])
    assert _edit(client, experiment, {"notes": "n"}).json()["tags"] == ["t"]
    for body in ({}, {"notes": "n"}, {"name": "a", "tags": ["t", "t"]}):
        assert _edit(client, experiment, body).status_code == 200
    assert _edit(client, experiment, {"tags": [], "notes": ""}).json()["tags"] == []
    history = client.get(f"/experiments/{experiment}/history").json()["items"]
    assert [event["detail"] for event in history[1:]] == [{"notes": "n"}, {"tags": [], "notes": ""}]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"tags": ["x" * 121]}, "tags[0]"),
        ({"tags": [f"{i}" for i in range(21)]}, "tags"),
        ({"tags": "a"}, "tags"),
        ({"notes": "\x1b[31m"}, "notes"),
        ({"notes": "\x00"}, "notes"),
        ({"notes": "x" * 20_001}, "notes"),
        ({"seeds": 3}, "seeds"),
        ([], ""),
    ],
)
def test_what_cannot_be_is_refused(client: TestClient, database: Database, body: Any, path: str) -> None:
    experiment = queued(database)
    answer = _edit(client, experiment, body)
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, path)
    assert client.get(f"/experiments/{experiment}").json()["notes"] == ""


def test_if_match_refuses_to_undo_what_another_edited_and_no_more(client: TestClient, database: Database) -> None:
    experiment = queued(database)
    here = f"/experiments/{experiment}"
    first = client.get(here).headers["etag"]
    assert _edit(client, experiment, {"notes": "mine"}, If_Match=first).status_code == 200
    refused = _edit(client, experiment, {"notes": "theirs"}, If_Match=first)
    assert (refused.status_code, refused.headers["content-type"]) == (412, "application/problem+json")
    seen = client.get(here).headers["etag"]
    Hand.of(database, taken(database)).train(20)
    now = client.get(here).headers["etag"]
    assert now != seen
    edits_as = [(f'"other", {seen}', 200), ("*", 200), (now, 412)]
    assert [
        (known, _edit(client, experiment, {"notes": known}, If_Match=known).status_code) for known, _ in edits_as
    ] == edits_as
    plain = client.get(here, headers={"Accept-Encoding": "identity"}).headers["etag"]
    assert _edit(client, experiment, {"name": "n"}, If_Match=f'{plain[:-1]}-gzip"').status_code == 200
    assert _edit(client, experiment, {"name": "n"}, If_Match=f"W/{plain}").status_code == 412


def _marked(client: TestClient, database: Database, how_many: int) -> list[int]:
    return [queued(database, tags=["sweep", f"n{i}"]) for i in range(how_many)]


def test_all_with_a_tag_are_cancelled_or_it_is_said_why_not(client: TestClient, database: Database) -> None:
    first, second, third = _marked(client, database, 3)
    other = queued(database, tags=["else"])
    client.post(f"/experiments/{second}/cancel")
    answer = client.post("/experiments/cancel?tag=sweep")
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "done": [first, third],
            "refused": [
                {
                    "id": second,
                    "status": 409,
                    "reason": f"experiment {second} is cancelled: there is nothing to cancel",
                }
            ],
            "next": None,
        },
    )
    assert client.get(f"/experiments/{other}").json()["status"] == "queued"
    assert client.get("/experiments?status=cancelled").json()["total"] == 3


def test_all_with_a_tag_are_deleted_or_it_is_said_why_not(client: TestClient, database: Database) -> None:
    first, second, third = _marked(client, database, 3)
    client.post(f"/experiments/{first}/cancel")
    client.post(f"/experiments/{third}/cancel")
    of_both = client.delete("/experiments?tag=sweep&tag=n0").json()
    assert (of_both["done"], of_both["refused"]) == ([first], [])
    assert client.delete("/experiments?tag=sweep&status=failed").json()["done"] == []
    answer = client.delete("/experiments?tag=sweep").json()
    assert (answer["done"], [one["id"] for one in answer["refused"]]) == ([third], [second])
    assert "cancel it first" in answer["refused"][0]["reason"]
    for untold in (client.post("/experiments/cancel"), client.delete("/experiments")):
        assert untold.json()["errors"][0]["path"] == "tag", "never all experiments by mistake"


def test_many_come_in_pages_and_a_slow_one_ends_early(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = _marked(client, database, 4)
    page = client.post("/experiments/cancel?tag=sweep&limit=2").json()
    assert (page["done"], page["next"]) == (ids[:2], ids[1])
    monkeypatch.setattr(edits, "SECONDS", 0.0)
    page = client.post("/experiments/cancel", params={"tag": "sweep", "cursor": page["next"]}).json()
    assert (page["done"], page["next"]) == (ids[2:3], ids[2])
    page = client.post("/experiments/cancel", params={"tag": "sweep", "cursor": page["next"]}).json()
    assert (page["done"], page["next"]) == (ids[3:], None)


def test_only_what_the_caller_may_change_is_changed(client: TestClient, database: Database) -> None:
    spec = {"seeds": 1, "epochs": 1, "model": {"name": "mlp", "hidden": [4]}, "tags": ["sweep"]}
    sent = {}
    for name, words in (("me", []), ("other", []), ("boss", ["scope=admin"]), ("guest", ["scope=read"])):
        with database.transaction() as session:
            sent[name] = {"Authorization": f"Bearer {stored.create(session, name, words, None)}"}
    service_of(client).keys._read_at = -1e9
    mine, others = (client.post("/experiments", json=spec, headers=sent[who]).json()["id"] for who in ("me", "other"))
    for path, call in ((f"/experiments/{others}", client.patch), ("/experiments/cancel?tag=sweep", client.post)):
        assert call(path, headers=sent["guest"], json={}).status_code == 403
    assert _edit(client, others, {"name": "x"}, **sent["me"]).status_code == 403
    edited = _edit(client, mine, {"name": "x"}, **sent["me"])
    assert (edited.status_code, edited.json()["name"]) == (200, "x")
    last = client.get(f"/experiments/{mine}/history", headers=sent["me"]).json()["items"][-1]
    assert last["detail"] == {"name": "x", "by": "me"}
    answer = client.post("/experiments/cancel?tag=sweep", headers=sent["me"]).json()
    assert (answer["done"], [(one["id"], one["status"]) for one in answer["refused"]]) == ([mine], [(others, 403)])
    assert "other" in answer["refused"][0]["reason"]
    assert client.post("/experiments/cancel?tag=sweep", headers=sent["boss"]).json()["done"] == [others]
