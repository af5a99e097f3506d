"""The workers over HTTP, and what waits for them."""

from fastapi.testclient import TestClient
from sqlalchemy import select

from core.store import Worker, now
from tests.api.held import service_of
from tests.api.keyed import Make, Sent
from tests.core.experiments.claims import queued, taken


def test_workers_are_told_with_what_waits(client: TestClient) -> None:
    assert client.get("/workers").json()["items"] == []
    database = service_of(client).database
    queued(database)
    with database.transaction() as session:
        seen = session.scalar(select(now()))
        session.add(Worker(holder="host boot pid/7/0", devices="cpu", queues="cpu", last_seen=seen))
    answer = client.get("/workers")
    (one,) = answer.json()["items"]
    assert (one["host"], one["alive"], one["queues"]) == ("host", True, ["cpu"])
    assert answer.json()["queue"]["experiments"]["queued"] == 1


def test_what_is_trained_in_a_project_of_others_is_not_told(client: TestClient, make: Make, admin: Sent) -> None:
    anna, ben = make("anna"), make("ben")
    assert client.post("/projects", json={"name": "nlp", "members": {"anna": "member"}}, headers=admin).is_success
    arms = {"arms": [{"label": "a"}, {"label": "b"}], "seeds": 2, "epochs": 1}
    made = client.post("/experiments", json=arms, headers=anna, params={"project": "nlp"}).json()["id"]
    database = service_of(client).database
    taken(database, holder="host boot pid/7/0")
    with database.transaction() as session:
        seen = session.scalar(select(now()))
        session.add(Worker(holder="host boot pid/7/0", devices="cpu", queues="cpu", last_seen=seen))
    for sent, told in ((anna, [made]), (admin, [made]), (ben, [])):
        (one,) = client.get("/workers", headers=sent).json()["items"]
        assert one["experiments"] == told
        assert (one["training"] and one["training"]["experiment"]) == (told[0] if told else None)


def test_an_admin_drains_a_worker_and_nobody_else(client: TestClient, make: Make, admin: Sent) -> None:
    database = service_of(client).database
    with database.transaction() as session:
        seen = session.scalar(select(now()))
        session.add(Worker(holder="host boot pid/7/0", devices="cpu", queues="cpu", last_seen=seen))
    (one,) = client.get("/workers", headers=admin).json()["items"]
    assert (one["draining"], one["training"]) == (False, None)
    at = f"/workers/{one['name']}/drain"
    refused = client.post(at, headers=make("anna"))
    assert (refused.status_code, refused.json()["detail"]) == (403, "only admins may drain a worker")
    assert client.post("/workers/host-8-0000/drain", headers=admin).status_code == 404
    assert not client.get("/workers", headers=admin).json()["items"][0]["draining"]
    for _ in range(2):
        answer = client.post(at, headers=admin)
        assert (answer.status_code, answer.json()) == (202, one | {"draining": True})
