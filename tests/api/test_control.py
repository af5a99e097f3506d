"""Pause, resume, retry and history over HTTP; the training is done by a worker's hands."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from core.energy import Cost
from core.experiments.cohorts.leases import Flush
from core.settings import Settings
from core.store import Database, Experiment
from tests.core.experiments.claims import queued, take, taken
from tests.core.experiments.fake_worker import Hand


@pytest.fixture
def database(client: TestClient, settings: Settings) -> Iterator[Database]:
    del client  # which made it
    opened = Database(settings.database)
    yield opened
    opened.dispose()


def _asked(client: TestClient, experiment: int, what: str) -> Any:
    answer = client.post(f"/experiments/{experiment}/{what}")
    assert answer.status_code == 202, answer.text
    found, shown = answer.json(), client.get(f"/experiments/{experiment}").json()
    for one in (found, shown):
        del one["progress"]["eta_seconds"]  # which goes on with the clock
    assert found == shown
    return found


def _kinds(client: TestClient, experiment: int) -> list[str]:
    return [event["kind"] for event in client.get(f"/experiments/{experiment}/history").json()["items"]]


def _refused(client: TestClient, experiment: int, what: str) -> str:
    answer = client.post(f"/experiments/{experiment}/{what}")
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    return str(answer.json()["detail"])


def test_a_paused_experiment_waits_until_it_is_resumed(client: TestClient, database: Database) -> None:
    experiment = queued(database, cohorts=2)
    for _ in range(2):  # again changes nothing
        found = _asked(client, experiment, "pause")
        assert (found["status"], found["paused"]) == ("queued", True)
    assert take(database) is None
    for _ in range(2):
        found = _asked(client, experiment, "resume")
        assert (found["status"], found["paused"]) == ("queued", False)
    assert take(database) is not None
    assert _kinds(client, experiment) == ["accepted", "paused", "resumed", "claimed"]


def test_what_has_ended_cannot_be_paused(client: TestClient, database: Database) -> None:
    experiment = queued(database)
    client.post(f"/experiments/{experiment}/cancel")
    assert _refused(client, experiment, "pause") == f"experiment {experiment} is cancelled: there is nothing to pause"
    assert _asked(client, experiment, "resume")["status"] == "cancelled"
    for what in ("pause", "resume", "retry"):
        assert client.post(f"/experiments/{experiment + 1}/{what}").status_code == 404


def test_runs_that_were_cancelled_are_told_apart_from_those_that_were_trained(
    client: TestClient, database: Database
) -> None:
    experiment = queued(database, cohorts=2)
    good = Hand.of(database, taken(database))
    good.train(60)
    good.finish("succeeded")
    found = client.post(f"/experiments/{experiment}/cancel").json()
    trained = sum(one["status"] == "succeeded" for one in client.get(f"/experiments/{experiment}/runs").json()["items"])
    total = found["progress"]["runs_total"]
    assert 0 < trained < total
    assert (found["progress"]["runs_done"], found["progress"]["runs_cancelled"]) == (total, total - trained)
    assert sum(arm["cancelled"] for arm in found["arms"]) == total - trained
    with database.transaction() as session:  # as it was kept before they were told apart
        one = session.get_one(Experiment, experiment)
        assert one.progress is not None
        arms = [{name: n for name, n in arm.items() if name != "cancelled"} for arm in one.progress["arms"]]
        one.progress = one.progress | {"arms": arms}
    listed = client.get("/experiments").json()["items"][0]
    assert (listed["progress"], listed["arms"]) == (found["progress"], found["arms"])


def test_retry_runs_what_failed_and_leaves_what_succeeded(client: TestClient, database: Database) -> None:
    experiment = queued(database, cohorts=2)
    good, bad = (Hand.of(database, taken(database)) for _ in range(2))
    good.train(60)
    good.finish("succeeded")
    bad.train(20, diverged=3)
    assert "none of its runs has failed" in _refused(client, experiment, "retry")
    bad.finish("failed", "a fault")
    before = client.get(f"/experiments/{experiment}/runs").json()["items"]
    assert [run["status"] for run in before] == ["succeeded", "succeeded", "succeeded", "failed"]
    failed = client.get(f"/experiments/{experiment}").json()
    assert (failed["status"], failed["errors"]) == ("failed", ["a fault"])

    found = _asked(client, experiment, "retry")
    assert (found["status"], found["errors"], found["finished_at"]) == ("running", [], None)
    runs = client.get(f"/experiments/{experiment}/runs").json()["items"]
    assert runs[:3] == before[:3]
    assert (runs[3]["status"], runs[3]["error"]) == ("queued", None)
    assert "none of its runs has failed" in _refused(client, experiment, "retry")

    again = Hand.of(database, taken(database))
    assert (take(database), again.alive) == (None, {runs[3]["id"]})
    again.train(60)
    again.finish("succeeded")
    assert client.get(f"/experiments/{experiment}/runs").json()["items"][:3] == before[:3]
    assert client.get(f"/experiments/{experiment}").json()["status"] == "succeeded"


def test_a_history_comes_in_pages_the_oldest_first(client: TestClient, database: Database) -> None:
    experiment = queued(database)
    other = queued(database)
    hand = Hand.of(database, taken(database))
    hand.mark_lost()
    client.post(f"/experiments/{experiment}/cancel")
    whole = client.get(f"/experiments/{experiment}/history").json()
    assert [event["kind"] for event in whole["items"]] == ["accepted", "claimed", "lost", "cancelling"]
    assert whole["next"] is None
    lost = whole["items"][2]
    assert (lost["cohort"], lost["attempt"], lost["detail"]["why"]) == (hand.held.cohort_id, 1, "killed")
    pages, items, cursor = [], [], 0
    while cursor is not None:
        page = client.get(f"/experiments/{experiment}/history", params={"limit": 3, "cursor": cursor}).json()
        pages.append(len(page["items"]))
        items += page["items"]
        cursor = page["next"]
    assert (pages, items) == ([3, 1], whole["items"])
    assert _kinds(client, other) == ["accepted"]
    assert client.get("/experiments/9/history").status_code == 404
    assert client.get(f"/experiments/{experiment}/history?limit=0").status_code == 422


def test_what_is_shown_around_a_pause_changes_the_etag(client: TestClient, database: Database) -> None:
    """A worker that gives a paused cohort back has used energy since its last update, and the report says how much."""
    experiment = queued(database)
    here = f"/experiments/{experiment}"
    hand = Hand.of(database, taken(database))
    seen = []

    def look() -> None:
        seen.append([client.get(f"{here}{path}").headers["etag"] for path in ("", "/report", "/metrics")])

    look()
    hand.train(20)
    look()
    _asked(client, experiment, "pause")
    look()
    hand.store(Flush(step=20, cost=Cost(kwh=0.001, co2e_g=0.475)))
    look()
    hand.store(Flush(step=20, cost=Cost(kwh=0.002, co2e_g=0.95)))
    look()
    _asked(client, experiment, "cancel")
    look()
    for tags in zip(*seen, strict=True):
        assert len(set(tags)) == len(seen)
