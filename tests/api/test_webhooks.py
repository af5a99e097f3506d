"""Webhooks over HTTP: made with a secret that is shown once, seen by their key alone, sent after a restart too."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from standardwebhooks import Webhook as Verifier

from api.app import create_app
from api.keys import create as create_key
from core.experiments.maintenance import send_due
from core.experiments.requests import webhooks
from core.settings import Settings
from core.store import Database, Delivery, Webhook
from initlab.cli import main
from tests.api.held import service_of
from tests.receiver import Receiver, receiving

SMALL = {"model": {"name": "mlp", "hidden": [4]}, "seeds": 1, "epochs": 1}
HOOK = {"url": "https://lab.example/hook", "events": ["experiment.queued"]}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def add(client: TestClient, **more: Any) -> dict[str, Any]:
    answer = client.post("/webhooks", json=HOOK | more)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/webhooks/{made['id']}"
    return made


def test_its_secret_is_shown_once(client: TestClient) -> None:
    made = add(client, tag="a")
    shown = {name: value for name, value in made.items() if name != "secret"}
    assert made["secret"].startswith("whsec_")
    assert client.get("/webhooks").json() == {"items": [shown]}
    assert client.get(f"/webhooks/{made['id']}").json() == shown
    assert add(client)["secret"] != made["secret"]
    assert client.delete(f"/webhooks/{made['id']}").status_code == 204
    assert client.get(f"/webhooks/{made['id']}").status_code == 404


def test_one_key_of_idempotency_makes_one(client: TestClient) -> None:
    first, again = (client.post("/webhooks", json=HOOK, headers={"Idempotency-Key": "k"}).json() for _ in range(2))
    assert first == again
    assert len(client.get("/webhooks").json()["items"]) == 1
    with service_of(client).database.transaction() as session:
        session.execute(update(Webhook).values(created_at=Webhook.created_at - 86_400))
    later = client.post("/webhooks", json=HOOK, headers={"Idempotency-Key": "k"}).json()
    assert later["id"] != first["id"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "url"),
        ({"url": "http://lab.example/"}, "url"),
        ({"url": "ftp://lab.example/"}, "url"),
        ({"url": "https://"}, "url"),
        ({"url": "https://lab.example:99999/"}, "url"),
        ({"url": "https://[::1/"}, "url"),
        ({"url": "https://user:word@lab.example/"}, "url"),
        ({"url": "https://lab.example/#part"}, "url"),
        ({"url": "https://lab.example/a b"}, "url"),
        ({"url": "https://lab.example/\r\nX: y"}, "url"),
        ({"url": "https://localhost/"}, "url"),
        ({"url": "https://169.254.169.254/latest"}, "url"),
        ({"url": "https://lab.example/" + "x" * 2000}, "url"),
        ({"url": "https://lab.example/", "events": []}, "events"),
        ({"url": "https://lab.example/", "events": ["experiment.exploded"]}, "events[0]"),
        ({"url": "https://lab.example/", "payload": "xml"}, "payload"),
        ({"url": "https://lab.example/", "experiment_id": 9}, "experiment_id"),
        ({"url": "https://lab.example/", "experiment_id": 9, "tag": "a"}, ""),
        ({"url": "https://lab.example/", "secret": "mine"}, "secret"),
    ],
)
def test_what_cannot_be_sent_to_is_refused(client: TestClient, body: dict[str, Any], path: str) -> None:
    answer = client.post("/webhooks", json=body)
    assert answer.status_code == 422
    assert [problem["path"] for problem in answer.json()["errors"]] == [path]


def test_there_are_so_many_and_no_more(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "MOST", 2)
    for _ in range(2):
        add(client)
    assert client.post("/webhooks", json=HOOK).status_code == 409


def test_another_key_sees_neither_webhooks_nor_experiments(settings: Settings, migrated_sqlite: Path) -> None:
    settings.data_dir.mkdir()
    shutil.copy(migrated_sqlite, settings.data_dir)
    file = settings.data_dir / "keys"
    mine, other = ({"Authorization": f"Bearer {create_key(file, name)}"} for name in ("mine", "other"))
    guarded = Settings(data_dir=settings.data_dir, sweep_seconds=3600, api_keys_file=file)
    with TestClient(create_app(guarded), base_url="http://lab.example") as client:
        client.headers = mine
        made = add(client)
        here = f"/webhooks/{made['id']}"
        for headers, events in ((other, []), (mine, ["experiment.queued"])):
            client.post("/experiments", json=SMALL, headers=headers)
            told = client.get(f"{here}/deliveries").json()["items"]
            assert [one["event"] for one in told] == events
        foreign = client.get("/experiments").json()["items"][-1]["id"]
        wanted = HOOK | {"experiment_id": foreign}
        assert client.post("/webhooks", json=wanted).status_code == 422
        assert client.get("/webhooks", headers=other).json() == {"items": []}
        for method, path in (("GET", here), ("DELETE", here), ("GET", f"{here}/deliveries")):
            assert client.request(method, path, headers=other).status_code == 404
        assert client.post(f"{here}/deliveries/1/replay", headers=other).status_code == 404


def test_the_log_is_paged_and_a_delivery_replayed(client: TestClient, settings: Settings) -> None:
    here = f"/webhooks/{add(client)['id']}/deliveries"
    for _ in range(3):
        client.post("/experiments", json=SMALL)
    page = client.get(here, params={"limit": 2}).json()
    rest = client.get(here, params={"limit": 2, "cursor": page["next"]}).json()
    assert [one["data"]["experiment_id"] for one in page["items"] + rest["items"]] == [3, 2, 1]
    assert rest["next"] is None
    (last,) = rest["items"]
    assert (last["status"], last["attempts"], last["error"]) == ("pending", 0, None)
    assert client.post(f"{here}/{last['id']}/replay").status_code == 409
    database = Database(settings.database)
    with database.transaction() as session:
        session.execute(update(Delivery).where(Delivery.id == last["id"]).values(due_at=None, error="no", attempts=9))
    database.dispose()
    assert client.get(here).json()["items"][-1]["status"] == "failed"
    answer = client.post(f"{here}/{last['id']}/replay")
    assert (answer.status_code, answer.json()["status"], answer.json()["error"]) == (202, "pending", None)
    other = add(client)["id"]
    assert client.post(f"/webhooks/{other}/deliveries/{last['id']}/replay").status_code == 404


def test_a_private_target_that_a_name_hides_is_not_sent_to(client: TestClient, settings: Settings) -> None:
    """The address is looked at when it is sent to, whatever it was when the webhook was made."""
    here = f"/webhooks/{add(client, url='https://localhost.localdomain:9/')['id']}/deliveries"
    client.post("/experiments", json=SMALL)
    database = Database(settings.database)
    assert send_due(database, settings) == 1
    database.dispose()
    (one,) = client.get(here).json()["items"]
    assert (one["status"], one["attempts"]) == ("pending", 1)
    assert one["error"] in ("its address is not a public one", "gaierror")


def test_what_a_service_had_not_sent_when_it_was_killed_is_sent_by_the_next(
    settings: Settings, migrated_sqlite: Path, receiver: Receiver
) -> None:
    settings.data_dir.mkdir()
    shutil.copy(migrated_sqlite, settings.data_dir)
    silent, sends = (
        Settings(data_dir=settings.data_dir, sweep_seconds=seconds, webhook_private_targets=True)
        for seconds in (3600, 0.05)
    )
    host: dict[str, Any] = {"base_url": "http://127.0.0.1", "client": ("127.0.0.1", 1)}
    with TestClient(create_app(silent), **host) as client:
        made = add(client, url=receiver.url)
        client.post("/experiments", json=SMALL)
    assert receiver.received == []
    with TestClient(create_app(sends), **host):
        receiver.wait_for(1)
    (got,) = receiver.received
    read = Verifier(made["secret"]).verify(got.body, dict(got.headers))
    assert (read["type"], read["data"]["experiment_id"]) == ("experiment.queued", 1)


def test_the_command_line(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Against the real routes, over a transport that asks the application in this process."""

    def run(*words: str) -> str:
        monkeypatch.setattr("sys.argv", ["initlab", "webhooks", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        return capsys.readouterr().out

    def call(_: Any, method: str, path: str, *, body: Any = None, params: Any = None, headers: Any = None) -> Any:
        given = {name: value for name, value in (params or {}).items() if value is not None}
        answer = client.request(method, path, json=body, params=given, headers=headers)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    monkeypatch.setattr("initlab.transport.Transport.call", call)
    assert run("list") == "no webhooks\n"
    said = run("add", "https://lab.example/hook", "--event", "experiment.queued", "--tag", "nightly")
    assert "webhook 1 tells of experiment.queued\nits secret: whsec_" in said
    assert "https://lab.example/hook" in run("list")
    client.post("/experiments", json=SMALL | {"tags": ["nightly"]})
    assert "experiment.queued" in run("deliveries", "1")
    assert run("delete", "1") == "webhook 1 is deleted\n"
