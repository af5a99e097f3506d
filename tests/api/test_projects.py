"""Projects: who sees, posts to and changes what is in them."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.keys import create
from core.settings import Settings
from tests.api.keyed import Make, Sent, sent_with
from tests.api.test_route_contract import ENDPOINTS, example_of, fill

SPEC: dict[str, Any] = {"arms": [{"label": "a"}, {"label": "b"}], "seeds": 2, "epochs": 1}
TABLE = b"a,label\n" + b"".join(b"%d,%d\n" % (i, i % 2) for i in range(40))
OF_ONE = [(method, path) for method, path, _ in ENDPOINTS if "{experiment_id}" in path or "{run_id}" in path]


def project(client: TestClient, admin: Sent, name: str, **fields: Any) -> None:
    made = client.post("/projects", json={"name": name, **fields}, headers=admin)
    assert (made.status_code, made.headers["location"]) == (201, f"/projects/{name}"), made.text


def post(client: TestClient, sent: Sent, name: str | None = None) -> Any:
    return client.post("/experiments", json=SPEC, headers=sent, params={"project": name} if name else {})


def upload(client: TestClient, sent: Sent, project: str, name: str = "table", rows: bytes = TABLE) -> Any:
    form = {"name": name, "target": "label"}
    return client.post(
        "/datasets", params={"project": project}, files={"file": ("t.csv", rows)}, data=form, headers=sent
    )


def test_what_names_no_project_is_in_the_default_one_where_every_key_posts(client: TestClient, make: Make) -> None:
    anna, ben = make("anna"), make("ben")
    made = post(client, anna)
    assert (made.status_code, made.json()["project"], made.json()["owner"]) == (202, "default", "anna")
    assert client.get(made.headers["location"], headers=ben).status_code == 200
    (default,) = client.get("/projects", headers=ben).json()["items"]
    assert (default["name"], default["role"], default["default_role"]) == ("default", "member", "member")
    assert default["quotas"]["runs"] == {"used": 4, "most": None}


def test_the_project_is_no_part_of_a_spec_and_one_of_a_repetition(client: TestClient) -> None:
    client.post("/projects", json={"name": "nlp"})
    key = {"Idempotency-Key": "k"}
    first = client.post("/experiments", json=SPEC, headers=key, params={"project": "nlp"})
    assert first.json()["project"] == "nlp"
    assert "project" not in first.json()["spec"]
    again = client.post("/experiments", json=SPEC, headers=key, params={"project": "nlp"})
    assert again.json()["id"] == first.json()["id"]
    elsewhere = client.post("/experiments", json=SPEC, headers=key)
    assert (elsewhere.status_code, elsewhere.json()["errors"][0]["path"]) == (422, "Idempotency-Key")
    assert "'nlp'" in elsewhere.json()["detail"]


def test_nobody_sees_what_is_in_a_project_of_others(client: TestClient, make: Make, admin: Sent) -> None:
    """Neither in a list, nor by its id however that is written, nor by the name of its data set."""
    anna, ben = make("anna"), make("ben")
    project(client, admin, "nlp", members={"anna": "member"})
    made = post(client, anna, "nlp")
    assert made.status_code == 202, made.text
    assert upload(client, anna, "nlp").status_code == 201
    for sent, seen in ((anna, True), (admin, True), (ben, False)):
        assert len(client.get("/experiments", headers=sent).json()["items"]) == seen
        assert client.get("/experiments", headers=sent).json()["total"] == seen
        assert len(client.get("/datasets", headers=sent).json()["items"]) == seen
        assert len(client.get("/projects", headers=sent).json()["items"]) == 1 + seen
        for path in ("/projects/nlp", "/datasets/table", "/experiments/1", "/experiments/00001", "/experiments/1.0"):
            expected = (200, 422) if seen else (404, 422)
            assert client.get(path, headers=sent).status_code in expected, path
    assert client.get("/experiments/2", headers=ben).json() == {
        **client.get("/experiments/1", headers=ben).json(),
        "detail": "there is no experiment 2",
    }
    uses = SPEC | {"dataset": {"name": "uploaded", "id": "table"}}
    for path in ("/experiments", "/experiments/preview"):
        refused = client.post(path, json=uses, headers=ben)
        assert (refused.status_code, "there is no data set 'table'" in refused.json()["detail"]) == (422, True)
    assert client.post("/experiments/preview", json=uses, headers=anna).status_code == 200
    assert upload(client, ben, "default").status_code == 409, "names are everybody's"


@pytest.mark.parametrize(("method", "path"), OF_ONE)
def test_every_call_about_an_experiment_or_a_run_hides_those_of_others(
    hiding: tuple[TestClient, Sent], method: str, path: str
) -> None:
    client, ben = hiding
    answer = client.request(method, fill(path, lambda name: example_of(path, name)), headers=ben)
    assert (answer.status_code, answer.json()["detail"][:11]) == (404, "there is no"), answer.text


@pytest.fixture(scope="module")
def hiding(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[tuple[TestClient, Sent]]:
    """A service with an experiment in a project of others, and the key of somebody who is no member."""
    folder = tmp_path_factory.mktemp("hiding")
    shutil.copy(migrated_sqlite, folder)
    admin, ben = (sent_with(create(folder / "keys", *one)) for one in (("admin", ()), ("ben", ["scope=submit"])))
    settings = Settings(data_dir=folder, sweep_seconds=3600, api_keys_file=folder / "keys")
    with TestClient(create_app(settings), base_url="http://lab.example") as client:
        project(client, admin, "nlp")
        assert post(client, admin, "nlp").status_code == 202
        yield client, ben


@pytest.mark.parametrize(
    ("role", "posts", "changes", "names_members"),
    [("viewer", 403, 403, 403), ("member", 202, 403, 403), ("maintainer", 202, 202, 200), (None, 422, 404, 404)],
)
def test_a_role_says_what_a_key_may_in_a_project(
    client: TestClient, make: Make, admin: Sent, role: str | None, posts: int, changes: int, names_members: int
) -> None:
    anna, ben = make("anna"), make("ben")
    roles = {"anna": "member"} | ({"ben": role} if role else {})
    project(client, admin, "nlp", members=roles)
    here = post(client, anna, "nlp").headers["location"]
    refused = post(client, ben, "nlp")
    assert refused.status_code == posts
    if role == "viewer":
        assert "the role of ben in the project 'nlp' is viewer: members post" in refused.json()["detail"]
    for what in ("pause", "resume", "cancel"):
        assert client.post(f"{here}/{what}", headers=ben).status_code == changes
    edited = client.patch(here, json={"notes": "x"}, headers=ben).status_code
    assert edited == (200 if changes == 202 else changes)
    member = {"members": {"carl": "viewer"}}
    assert client.patch("/projects/nlp", json=member, headers=ben).status_code == names_members
    assert client.delete(here, headers=ben).status_code == (204 if changes == 202 else changes)


def test_a_key_that_only_reads_changes_nothing_whatever_its_role(client: TestClient, make: Make, admin: Sent) -> None:
    reader = make("reader", "scope=read")
    project(client, admin, "nlp", members={"reader": "maintainer"})
    here = post(client, admin, "nlp").headers["location"]
    assert client.get(here, headers=reader).status_code == 200
    for answer in (
        post(client, reader, "nlp"),
        client.post(f"{here}/cancel", headers=reader),
        client.patch("/projects/nlp", json={"description": "x"}, headers=reader),
    ):
        assert (answer.status_code, "its scope is read" in answer.json()["detail"]) == (403, True)


def test_only_admins_say_what_a_project_takes_of_the_service(client: TestClient, make: Make, admin: Sent) -> None:
    anna = make("anna")
    project(client, admin, "nlp", members={"anna": "maintainer"})
    assert client.post("/projects", json={"name": "mine"}, headers=anna).status_code == 403
    assert client.delete("/projects/nlp", headers=anna).status_code == 403
    for patch in ({"quotas": {"runs": 1}}, {"keep_days": 1.0}, {"default_role": "member"}):
        refused = client.patch("/projects/nlp", json=patch, headers=anna)
        assert (refused.status_code, refused.json()["detail"]) == (
            403,
            f"only admins may change {next(iter(patch))} of a project",
        )
        changed = client.patch("/projects/nlp", json=patch, headers=admin).json()
        assert changed["quotas"]["runs"]["most"] == 1
    told = client.get("/projects/nlp", headers=anna).json()
    assert (told["keep_days"], told["default_role"], told["role"]) == (1.0, "member", "maintainer")


def test_a_patch_changes_what_it_names(client: TestClient) -> None:
    given = {"description": "d", "keep_days": 30.0, "quotas": {"runs": 9, "points": 99}, "members": {"a": "viewer"}}
    client.post("/projects", json={"name": "nlp", **given})
    patch = {"keep_days": None, "quotas": {"runs": None}, "members": {"a": None, "@b@lab.example": "member"}}
    told = client.patch("/projects/nlp", json=patch).json()
    assert (told["description"], told["keep_days"], told["members"]) == ("d", None, {"@b@lab.example": "member"})
    assert {name: one["most"] for name, one in told["quotas"].items()} == {"runs": None, "points": 99, "bytes": None}
    refused: list[dict[str, Any]] = [
        {"members": {"no id!": "member"}},
        {"members": {"a": "king"}},
        {"quota": {}},
        {"keep_days": -1},
    ]
    for wrong in refused:
        assert client.patch("/projects/nlp", json=wrong).status_code == 422
    assert client.post("/projects", json={"name": "nlp"}).status_code == 409
    assert client.post("/projects", json={"name": "NLP lab"}).status_code == 422


def test_a_project_goes_when_it_holds_nothing(client: TestClient) -> None:
    client.post("/projects", json={"name": "nlp", "members": {"a": "member"}})
    here = post(client, {}, "nlp").headers["location"]
    assert upload(client, {}, "nlp").status_code == 201
    for held, remove in ((f"experiment {here[-1]}", here), ("the data set 'table'", "/datasets/table")):
        refused = client.delete("/projects/nlp")
        assert (refused.status_code, f"holds {held}" in refused.json()["detail"]) == (409, True)
        client.post(f"{here}/cancel")
        assert client.delete(remove).status_code == 204
    assert client.delete("/projects/nlp").status_code == 204
    assert post(client, {}, "nlp").status_code == 422
    assert client.delete("/projects/default").status_code == 409
    client.post("/projects", json={"name": "nlp"})
    assert client.get("/projects/nlp").json()["members"] == {}


def test_a_project_of_another_process_can_be_posted_into_at_once(client: TestClient, settings: Settings) -> None:
    with TestClient(create_app(settings), base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as another:
        assert post(another, {}, "nlp").status_code == 422
        client.post("/projects", json={"name": "nlp"})
        assert post(another, {}, "nlp").status_code == 202
    unknown = post(client, {}, "nlq")
    assert (unknown.status_code, unknown.json()["errors"][0]["known"]) == (422, ["nlp"])


def test_a_list_has_ones_own_first_and_goes_on_where_it_was(client: TestClient, make: Make) -> None:
    anna, ben = make("anna"), make("ben")
    order = [anna, ben, ben, anna, ben, anna]
    ids = [post(client, sent).json()["id"] for sent in order]
    mine = [ids[i] for i in (5, 3, 0)]
    expected = [*mine, ids[4], ids[2], ids[1]]

    def pages(limit: int, **asked: Any) -> list[int]:
        found: list[int] = []
        cursor = None
        for _ in range(30):
            params = {"limit": limit, **asked} | ({"cursor": cursor} if cursor else {})
            page = client.get("/experiments", params=params, headers=anna).json()
            assert page["total"] >= len(page["items"])
            found += [one["id"] for one in page["items"]]
            if (cursor := page["next"]) is None:
                return found
            post(client, anna)  # what comes meanwhile moves nothing
            post(client, ben)
        raise AssertionError("it does not end")

    for limit in (2, 4):
        found = pages(limit)
        assert [one for one in found if one in ids] == expected
        assert len({*found}) == len(found)
    assert pages(200, sort="oldest")[:6] == ids
    assert [one for one in pages(200, sort="name", mine_first=True) if one in ids] == expected
    assert [one for one in pages(200, mine_first=False) if one in ids] == ids[::-1]
    assert pages(200, owner="me")[-3:] == mine
    assert set(pages(200, owner="ben")) & set(ids) == {ids[i] for i in (1, 2, 4)}
    assert pages(200, project="nothing") == []


def test_who_asks_is_told_who_it_is(client: TestClient, make: Make, admin: Sent) -> None:
    anna = make("anna", "runs=100", "requests=9/second")
    project(client, admin, "nlp", members={"anna": "maintainer"})
    post(client, anna, "nlp")
    told = client.get("/me", headers=anna).json()
    assert (told["id"], told["scope"], told["session_expires_at"]) == ("anna", "submit", None)
    assert told["projects"] == [{"name": "default", "role": "member"}, {"name": "nlp", "role": "maintainer"}]
    assert told["quotas"]["runs"] == {"used": 4, "most": 100}
    assert told["limits"]["requests"] == "9 per 1 second"
    assert {one["name"]: one["role"] for one in client.get("/me", headers=admin).json()["projects"]} == {
        "default": "maintainer",
        "nlp": "maintainer",
    }


def test_many_at_once_are_those_that_one_sees(client: TestClient, make: Make, admin: Sent) -> None:
    anna, ben = make("anna"), make("ben")
    project(client, admin, "nlp", members={"anna": "member"})
    tagged = SPEC | {"tags": ["t"]}
    for sent, name in ((anna, "nlp"), (anna, "default"), (ben, "default")):
        assert client.post("/experiments", json=tagged, headers=sent, params={"project": name}).status_code == 202
    by_ben = client.post("/experiments/cancel?tag=t", headers=ben).json()
    assert (by_ben["done"], [one["id"] for one in by_ben["refused"]]) == ([3], [2])
    assert client.post("/experiments/cancel?tag=t", headers=anna).json()["done"] == [1, 2]
