"""Keys in the database: made, revoked and renewed while the service answers; and what each scope may do."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from api.app import create_app
from api.auth import OPEN, PREVIEW
from api.keys import InvalidKeys, create, stored
from core.settings import Settings
from core.store import ApiKey, Database, now
from tests.api.held import service_of
from tests.api.keyed import Make, Sent, look_again, sent_with
from tests.api.test_route_contract import ENDPOINTS, fill, nothing_there

SPEC = {"arms": [{"label": "a"}, {"label": "b"}], "seeds": 2, "epochs": 1}
TABLE = b"a,label\n" + b"".join(b"%d,%d\n" % (i, i % 2) for i in range(40))


def _status(client: TestClient, sent: Sent, path: str = "/experiments") -> int:
    return client.get(path, headers=sent).status_code


def test_from_the_first_key_on_every_request_needs_one(client: TestClient, make: Make) -> None:
    assert _status(client, {}) == 200
    mine = make("me")
    assert [_status(client, sent) for sent in ({}, mine, sent_with("initlab_me_x"))] == [401, 200, 401]
    assert _status(client, {}, "/healthz") == 200


def test_a_key_ends_in_every_process_within_a_second(
    client: TestClient, make: Make, database: Database, settings: Settings
) -> None:
    mine, other = make("me"), make("other")
    with TestClient(create_app(settings), base_url="http://lab.example") as another:
        assert [_status(one, mine) for one in (client, another)] == [200, 200]
        with database.transaction() as session:
            stored.revoke(session, "me")
        revoked = time.monotonic()
        while 200 in (answers := [_status(one, mine) for one in (client, another)]):
            assert time.monotonic() < revoked + 5
        assert answers == [401, 401]
        assert client.get("/experiments", headers=mine).json()["detail"] == "this API key was revoked"
        assert [_status(one, other) for one in (client, another)] == [200, 200]
    with database.transaction() as session:
        stored.revoke(session, "other")
    look_again(client)
    assert _status(client, {}) == 401, "after the last key was revoked nobody comes in without one"


def test_a_renewed_key_ends_the_old_one_and_owns_what_that_did(
    client: TestClient, make: Make, database: Database
) -> None:
    old = make("me", "priority=5")
    here = client.post("/experiments", json=SPEC, headers=old).headers["location"]
    with database.transaction() as session:
        new = sent_with(stored.rotate(session, "me"))
    look_again(client)
    assert [_status(client, sent) for sent in (old, new)] == [401, 200]
    assert client.post("/experiments", json=SPEC | {"priority": 6}, headers=new).status_code == 422
    assert client.post(f"{here}/cancel", headers=new).status_code == 202


def test_a_key_expires_and_can_be_renewed(client: TestClient, make: Make, database: Database) -> None:
    mine = make("me", days=1)
    assert _status(client, mine) == 200
    with database.transaction() as session:
        session.execute(update(ApiKey).values(expires_at=now() - 1))
    look_again(client)
    assert client.get("/experiments", headers=mine).json()["detail"] == "this API key has expired"
    with database.transaction() as session, pytest.raises(InvalidKeys, match="--days"):
        stored.rotate(session, "me")
    with database.transaction() as session:
        new = sent_with(stored.rotate(session, "me", days=2))
        left = session.scalar(select(ApiKey.expires_at - now()))
    assert left == pytest.approx(2 * 86_400, abs=60)
    look_again(client)
    assert _status(client, new) == 200


def test_an_id_is_given_once_and_a_revoked_key_stays_revoked(make: Make, database: Database) -> None:
    make("me")
    for change, message in (
        (lambda session: stored.create(session, "me"), "there is or was"),
        (lambda session: stored.create(session, "not me!"), "letters, digits and hyphens"),
        (lambda session: stored.create(session, "you", ["scope=king"]), "scope=submit"),
        (lambda session: stored.revoke(session, "you"), "what it has: me"),
        (lambda session: stored.rotate(session, "you"), "what it has: me"),
    ):
        with pytest.raises(InvalidKeys, match=message), database.transaction() as session:
            change(session)
    with database.transaction() as session:
        stored.revoke(session, "me")
        at = session.scalar(select(ApiKey.revoked_at))
        stored.revoke(session, "me")
        assert session.scalar(select(ApiKey.revoked_at)) == at
        with pytest.raises(InvalidKeys, match="was revoked"):
            stored.rotate(session, "me")
        with pytest.raises(InvalidKeys, match="there is or was"):
            stored.create(session, "me")


def test_the_last_use_is_written_once_a_minute(
    client: TestClient, make: Make, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, _ = make("me"), make("other")
    written = []
    used = stored.used
    monkeypatch.setattr(stored, "used", lambda session, name: (written.append(name), used(session, name)))
    for _ in range(3):
        assert _status(client, mine) == 200
    assert _status(client, sent_with("initlab_other_wrong")) == 401
    assert client.portal is not None
    client.portal.call(service_of(client).keys.close)
    assert written == ["me"]
    with database.reading() as session:
        found = dict(session.execute(select(ApiKey.id, now() - ApiKey.last_used_at)).all())
    assert found["other"] is None
    assert 0 <= found["me"] < 60


def test_an_id_of_the_file_is_the_files(settings: Settings, client: TestClient, make: Make, tmp_path: Path) -> None:
    stored_key, other = make("me", "scope=read"), make("other")
    files = sent_with(create(tmp_path / "keys", "me"))
    both = settings.model_copy(update={"api_keys_file": tmp_path / "keys"})
    with TestClient(create_app(both), base_url="http://lab.example") as client:
        assert [_status(client, sent) for sent in (files, other, stored_key)] == [200, 200, 401]
        assert client.post("/experiments", json=SPEC, headers=files).status_code == 202


def test_while_the_keys_cannot_be_read_nobody_new_comes_in(
    client: TestClient, make: Make, settings: Settings, tmp_path: Path
) -> None:
    """What was known goes on; a process that knows nothing yet does not take the service for one without keys."""
    mine = make("me")
    assert _status(client, mine) == 200
    settings.data_dir.joinpath("initlab.sqlite").rename(tmp_path / "away")
    (settings.data_dir / "initlab.sqlite").mkdir()
    service_of(client).database.dispose()
    look_again(client)
    assert client.get("/catalog", headers=mine).status_code == 200
    assert client.get("/catalog").status_code == 401
    with TestClient(create_app(settings), base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as new:
        answer = new.get("/catalog")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert new.get("/healthz").status_code == 200


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in ENDPOINTS if path not in OPEN])
def test_a_key_that_reads_changes_nothing(reader: TestClient, method: str, path: str) -> None:
    status = reader.request(method, fill(path, nothing_there)).status_code
    changes = method != "GET" and not PREVIEW.fullmatch(path)
    assert (status == 403) == changes


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[TestClient]:
    """An application asked with a key of the scope `read`."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / migrated_sqlite.name).write_bytes(migrated_sqlite.read_bytes())
    key = create(folder / "keys", "lab", ["scope=read"])
    settings = Settings(data_dir=folder, sweep_seconds=3600, api_keys_file=folder / "keys")
    with TestClient(create_app(settings), base_url="http://lab.example", headers=sent_with(key)) as client:
        yield client


@pytest.mark.parametrize("what", ["cancel", "pause", "resume", "retry", None])
def test_only_the_owner_and_admins_change_an_experiment(client: TestClient, make: Make, what: str | None) -> None:
    before = client.post("/experiments", json=SPEC).headers["location"]  # when no key was needed
    owner, other, admin = make("owner"), make("other"), make("admin", "scope=admin")
    mine = client.post("/experiments", json=SPEC, headers=owner).headers["location"]

    def ask(path: str, sent: Sent) -> Any:
        if what is None:
            return client.delete(path, headers=sent)
        return client.post(f"{path}/{what}", headers=sent)

    refused = ask(mine, other)
    assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json")
    assert (
        "belongs to owner: only its owner, maintainers of the project 'default' and admins" in refused.json()["detail"]
    )
    assert ask(before, owner).status_code == 403
    kinds = [event["kind"] for event in client.get(f"{mine}/history", headers=other).json()["items"]]
    assert kinds == ["accepted"]
    assert (
        ask(mine, owner).status_code == ask(before, admin).status_code == (202 if what not in ("retry", None) else 409)
    )


def test_the_history_names_who_did_it(client: TestClient, make: Make) -> None:
    owner, admin = make("owner"), make("admin", "scope=admin")
    here = client.post("/experiments", json=SPEC, headers=owner).headers["location"]
    for what, sent in (("pause", owner), ("resume", admin), ("cancel", admin)):
        assert client.post(f"{here}/{what}", headers=sent).status_code == 202
    told = client.get(f"{here}/history", headers=owner).json()["items"]
    assert [(one["kind"], one["detail"].get("by")) for one in told] == [
        ("accepted", "owner"),
        ("paused", "owner"),
        ("resumed", "admin"),
        ("cancelling", "admin"),
    ]


def test_the_log_says_who_asked_for_what_and_what_came_of_it(
    client: TestClient, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """Refused or not; what only reads is not logged."""
    mine = make("me")
    with caplog.at_level("INFO", "api.audit"):
        client.post("/experiments", json=SPEC, headers=mine)
        client.get("/experiments", headers=mine)
        client.post("/experiments/1/cancel", headers=mine)
        client.post("/experiments/1/cancel")
        client.post("/experiments/1/cancel", headers=mine | {"Sec-Fetch-Site": "cross-site"})
        client.delete("/datasets/a%0Ab", headers=mine)
    said = [(one.getMessage(), one.by, one.address) for one in caplog.records if one.name == "api.audit"]  # type: ignore[attr-defined]
    assert said == [
        ("POST /experiments: 202", "me", "127.0.0.1"),
        ("POST /experiments/1/cancel: 202", "me", "127.0.0.1"),
        ("POST /experiments/1/cancel: 401", None, "127.0.0.1"),
        ("POST /experiments/1/cancel: 403", None, "127.0.0.1"),
        ("DELETE /datasets/a%0Ab: 404", "me", "127.0.0.1"),
    ]


def test_only_the_owner_and_admins_delete_a_data_set(client: TestClient, make: Make) -> None:
    owner, other, admin = make("owner"), make("other"), make("admin", "scope=admin")

    def send(name: str, sent: Sent) -> Any:
        form = {"name": name, "target": "label"}
        return client.post("/datasets", files={"file": ("t.csv", TABLE)}, data=form, headers=sent)

    for name in ("a", "b"):
        assert send(name, owner).json()["owner"] == "owner"
    assert (send("a", other).status_code, send("a", other).json()["owner"]) == (200, "owner")
    assert client.delete("/datasets/a", headers=other).status_code == 403
    assert client.delete("/datasets/a", headers=owner).status_code == 204
    assert client.delete("/datasets/b", headers=admin).status_code == 204


def test_where_there_is_no_database_none_is_made_by_asking(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "api.keys", "list"]
    environment = {"INITLAB_DATA_DIR": str(tmp_path / "var")}
    asked = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (asked.returncode, asked.stdout) == (2, "")
    assert "run `initlab db upgrade`" in asked.stderr
    assert not (tmp_path / "var").exists()


def test_the_commands_do_all_of_it(client: TestClient, settings: Settings, database: Database) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "api.keys", *words]
        environment = {"INITLAB_DATA_DIR": str(settings.data_dir)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    made = run("create", "--id", "me", "--scope", "read", "--days", "30", "--requests", "9/second", "--runs", "5")
    look_again(client)
    assert _status(client, sent_with(made.stdout.strip())) == 200
    renewed = run("rotate", "--id", "me")
    listed = run("list").stdout
    assert "me" in listed
    assert "read" in listed
    assert "runs=5 requests=9/second" in listed
    for secret in (made.stdout, renewed.stdout):
        assert secret.strip()[-20:] not in listed
    for words in (("create", "--id", "new"), ("rotate", "--id", "me")):
        ended = run(*words, "--days", "0")
        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr.startswith("--days should be more than 0")
    assert run("revoke", "--id", "me").returncode == 0
    (entry,) = json.loads(run("list", "--json").stdout)
    assert (entry["id"], entry["scope"], entry["requests"]) == ("me", "read", "9/second")
    assert entry["revoked_at"].startswith("20")
    assert entry["revoked_at"].endswith("Z")
    look_again(client)
    assert _status(client, sent_with(renewed.stdout.strip())) == 401
    wrong = run("revoke", "--id", "you")
    assert (wrong.returncode, "what it has: me" in wrong.stderr) == (2, True)
