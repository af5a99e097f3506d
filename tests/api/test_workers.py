"""The workers over HTTP, and what waits for them."""

from fastapi.testclient import TestClient
from sqlalchemy import select

from core.store import Worker, now
from tests.api.held import service_of
from tests.core.experiments.claims import queued


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
