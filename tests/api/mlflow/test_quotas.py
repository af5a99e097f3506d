"""What comes by the door counts against quotas as what is posted does, whether or not it is judged."""

import pytest
from fastapi.testclient import TestClient

from core.experiments import projects
from core.experiments.cohorts.external import reserved
from core.experiments.cohorts.mlflow_points import all_unjudged
from core.store import Database
from tests.api.mlflow.logged import BASE, Call, end, log, note, started


def used(client: TestClient, database: Database) -> int:
    """Return the points that count, which are those that counting anew finds."""
    assert not projects.recount(database, list, all_unjudged)
    return int(client.get("/projects/default").json()["quotas"]["points"]["used"])


def allow(client: TestClient, points: int) -> None:
    client.patch("/projects/default", json={"quotas": {"points": points}}).raise_for_status()


def test_a_judged_run_counts_where_it_is_judged(
    client: TestClient, database: Database, call: Call, experiment: str
) -> None:
    run = started(call, experiment, arm="a", seed="0")
    log(call, run, [(step, 0.5) for step in range(40)])
    assert used(client, database) == reserved(40)
    log(call, run, [(step, 0.5) for step in range(20)], "later")
    assert used(client, database) == reserved(60)
    end(call, run)
    assert used(client, database) == 60
    log(call, run, [(step, 0.25) for step in range(10)])  # out of order: it is judged anew with its next end
    end(call, run)
    assert used(client, database) == 60


@pytest.mark.parametrize("named", [True, False])
def test_one_that_is_not_counts_too(
    client: TestClient, database: Database, call: Call, experiment: str, named: bool
) -> None:
    tags = {"arm": "a", "seed": "0"} if named else {}
    if named:  # another run was there before
        end(call, first := started(call, experiment, None, **tags))
        log(call, first, [(0, 0.5)])
    before = used(client, database)
    run = started(call, experiment, None, **tags)
    for part in range(4):
        log(call, run, [(step, 0.5) for step in range(50 * part, 50 * part + 50)])
    assert used(client, database) - before == reserved(200)
    end(call, run)
    assert note(client, run)
    assert used(client, database) - before == reserved(200)
    call("runs/delete", run_id=run)
    assert used(client, database) == before
    call("runs/restore", run_id=run)
    assert used(client, database) - before == reserved(200)


def test_what_is_too_much_is_refused_and_nothing_of_it_kept(
    client: TestClient, database: Database, call: Call, experiment: str
) -> None:
    allow(client, 100)
    for tags in ({"arm": "a", "seed": "0"}, {}):
        run = started(call, experiment, None, **tags)
        points = [{"key": "val_acc", "value": 0.5, "step": step, "timestamp": 1} for step in range(101)]
        answer = client.post(f"{BASE}/runs/log-batch", json={"run_id": run, "metrics": points})
        assert (answer.status_code, answer.json()["error_code"]) == (403, "PERMISSION_DENIED")
        assert "the quota of points of the project 'default' is 100" in answer.json()["message"]
        history = client.get(f"{BASE}/metrics/get-history", params={"run_id": run, "metric_key": "val_acc"})
        assert history.json()["metrics"] == []
        assert used(client, database) == 0


def test_a_run_that_becomes_judged_with_its_end_is_not_counted_twice_on_the_way(
    client: TestClient, database: Database, call: Call, experiment: str
) -> None:
    allow(client, reserved(80) + 10)
    run = started(call, experiment, {"lr": "0.1", "seed": "0"})
    log(call, run, [(step, 0.5) for step in range(80)])
    assert used(client, database) == reserved(80)
    end(call, run)
    assert note(client, run) == ""
    assert used(client, database) == 80
