"""External experiments of which more arms, seeds and metrics are declared after their post."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.externals import finish, points, posted, runs_of, trained

LATE = {"name": "test_accuracy", "direction": "max"}


def declare(client: TestClient, experiment: dict[str, Any], status: int = 200, **more: Any) -> dict[str, Any]:
    """Declare more, and return the answer."""
    answer = client.post(f"/experiments/{experiment['id']}/declare", json=more)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def labels(client: TestClient, experiment: dict[str, Any], status: str) -> list[tuple[str, int]]:
    """Return arm and seed of the runs that have a status."""
    return [(run["arm"], run["seed"]) for run in runs_of(client, experiment) if run["status"] == status]


def test_what_had_ended_runs_again_and_has_its_verdict_of_all(client: TestClient) -> None:
    made = posted(client)
    trained(client, made)
    tag = client.get(f"/experiments/{made['id']}").headers["ETag"]
    grown = declare(client, made, arms=[{"label": "orthogonal", "config": {"gain": 1.0}}, {"label": "he"}], seeds=[9])
    assert grown["status"] == "running"
    assert [arm["label"] for arm in grown["spec"]["arms"]] == ["he", "zeros", "orthogonal"]
    assert grown["spec"]["seeds"] == [0, 1, 2, 3, 9]
    assert labels(client, made, "queued") == [("he", 9), ("zeros", 9), *(("orthogonal", s) for s in (0, 1, 2, 3, 9))]
    assert client.get(f"/experiments/{made['id']}").headers["ETag"] != tag
    assert [one["message"] for one in grown["warnings"]] == [
        "only the first 4 were declared before results could be seen: who adds seeds until a difference shows finds "
        "one too often"
    ]
    for run in runs_of(client, made):
        if run["status"] == "queued":
            points(client, run["id"], valid_accuracy=[0.2])
            finish(client, run["id"])
    assert client.get(f"/experiments/{made['id']}").json()["status"] == "succeeded"
    report = client.get(f"/experiments/{made['id']}/report").json()
    assert [(arm["label"], arm["n"]) for arm in report["arms"]] == [("he", 5), ("zeros", 5), ("orthogonal", 5)]
    assert len(report["comparisons"]) == 3


def test_the_same_again_changes_nothing(client: TestClient) -> None:
    made = posted(client)
    more: dict[str, Any] = {
        "arms": [{"label": "he"}, {"label": "new"}],
        "seeds": [0, 7, 7],
        "metrics": [LATE, {"name": "val/lr"}],
    }
    first = declare(client, made, **more)
    assert first["progress"]["runs_total"] == 3 * 5
    tag, history = (client.get(f"/experiments/{made['id']}{part}") for part in ("", "/history"))
    assert declare(client, made, **more) == first
    assert declare(client, made) == first
    assert client.get(f"/experiments/{made['id']}").headers["ETag"] == tag.headers["ETag"]
    assert client.get(f"/experiments/{made['id']}/history").json() == history.json()
    assert history.json()["items"][-1]["kind"] == "declared"
    assert history.json()["items"][-1]["detail"] == {"arms": 3, "seeds": 5, "metrics": 4, "runs": 7}


def test_runs_that_have_ended_take_a_metric_that_was_declared_since(client: TestClient) -> None:
    made = posted(client)
    trained(client, made)
    first, other = (run["id"] for run in runs_of(client, made)[:2])
    last = {"valid_accuracy": {"first": 4, "values": [1.0]}}
    assert declare(client, made, metrics=[LATE])["status"] == "succeeded"
    url = f"/experiments/{made['id']}"
    tag = client.get(url).headers["ETag"]
    assert points(client, first, test_accuracy=[0.5, 0.75])["stored"] == 2
    assert points(client, first, test_accuracy=[0.5, 0.75, None, 0.25]) == {"stored": 2, "known": 2, "stop": False}
    assert client.get(url).headers["ETag"] != tag
    assert (
        "takes no more points"
        in points(client, first, 409, test_accuracy={"first": 4, "values": [1]}, **last)["detail"]
    )
    assert "another point was stored" in points(client, first, 409, test_accuracy=[0.4])["detail"]
    run = client.get(f"/runs/{first}").json()
    assert (run["status"], run["final"]["test_accuracy"]) == ("succeeded", 0.25)
    series = client.get(f"/runs/{first}/metrics").json()["series"]
    assert next(one["values"] for one in series if one["metric"] == "test_accuracy") == [0.5, 0.75, None, 0.25]
    assert "test_accuracy" not in client.get(f"/runs/{other}").json()["final"]
    assert client.get(f"{url}/report?metric=test_accuracy").status_code == 200
    with client.stream("GET", f"{url}/events") as stream:
        assert "test_accuracy" in stream.read().decode()


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ({"arms": [{"label": "he", "config": {"gain": 2}}]}, 409, "the arm 'he' was declared with another config"),
        ({"metrics": [{"name": "train_loss", "direction": "max"}]}, 409, "was declared with another direction"),
        (
            {"metrics": [{"name": "val/lr"}, {"name": "best_valid_accuracy", "direction": "max"}]},
            422,
            "metrics[1].name",
        ),
        ({"arms": [{"label": ""}]}, 422, "arms[0].label"),
        ({"seeds": [-1]}, 422, "seeds[0]"),
        ({"seeds": list(range(2, 1_002))}, 422, "1,000 at most"),
        ({"seed": [1]}, 422, "seed"),
    ],
)
def test_what_contradicts_or_goes_too_far_is_refused(
    client: TestClient, more: dict[str, Any], status: int, words: str
) -> None:
    made = posted(client)
    assert words in declare(client, made, status, **more)["detail"]
    assert client.get(f"/experiments/{made['id']}").json()["spec"] == made["spec"]


def test_adaptive_seeds_have_their_own_rule(client: TestClient) -> None:
    made = posted(client, seeds={"from": 3, "to": 6})
    for more in ({"seeds": [6]}, {"arms": [{"label": "new"}]}):
        assert "has adaptive seeds" in declare(client, made, 409, **more)["detail"]
    assert declare(client, made, arms=[{"label": "he"}], seeds=[5])["spec"] == made["spec"]
    assert LATE["name"] in [one["name"] for one in declare(client, made, metrics=[LATE])["spec"]["metrics"]]


def test_what_was_cancelled_stays_so(client: TestClient) -> None:
    made = posted(client)
    client.post(f"/experiments/{made['id']}/cancel")
    assert "was cancelled" in declare(client, made, 409, seeds=[9])["detail"]


def test_a_study_gives_its_level_to_what_was_declared_before_results(client: TestClient) -> None:
    made = posted(client, study="chain", baseline="zeros")
    assert len(declare(client, made, seeds=[4])["spec"]["seeds"]) == 5
    made = client.get(f"/experiments/{made['id']}").json()
    trained(client, made)
    assert "was given its level by the study 'chain'" in declare(client, made, 409, seeds=[5])["detail"]
    assert declare(client, made, metrics=[LATE])["status"] == "succeeded"
