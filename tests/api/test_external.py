"""Experiments that are trained elsewhere: their runs wait for numbers, each of which is stored once."""

import pytest
from fastapi.testclient import TestClient

from tests.api.externals import finish, points, posted, runs_of, trained


def test_it_is_judged_like_any_other(client: TestClient) -> None:
    made = posted(client)
    assert made["status"] == "queued"
    trained(client, made)
    one = client.get(f"/experiments/{made['id']}").json()
    assert one["status"] == "succeeded"
    report = client.get(f"/experiments/{made['id']}/report").json()
    assert report["metric"] == "valid_accuracy"
    assert [arm["label"] for arm in report["arms"]] == ["he", "zeros"]
    assert report["comparisons"][0]["better"] == "he"
    text = client.get(f"/experiments/{made['id']}/report", headers={"Accept": "text/markdown"}).text
    assert "paired as declared" in text


def test_points_are_stored_once(client: TestClient) -> None:
    run = runs_of(client, posted(client))[0]["id"]
    assert points(client, run, train_loss=[2.0, 1.5]) == {"stored": 2, "known": 0, "stop": False}
    assert client.get(f"/runs/{run}").json()["status"] == "running"
    assert points(client, run, train_loss=[2.0, 1.5, 0.1], valid_accuracy=[0.5]) == {
        "stored": 2,
        "known": 2,
        "stop": False,
    }
    assert points(client, run, train_loss={"first": 1, "values": [1.5, 0.1]})["known"] == 2
    series = client.get(f"/runs/{run}/metrics").json()["series"]
    assert {one["metric"]: (one["unit"], one["steps"], one["values"]) for one in series} == {
        "train_loss": ("step", [0, 1, 2], [2.0, 1.5, 0.1]),
        "valid_accuracy": ("epoch", [0], [0.5]),
    }


@pytest.mark.parametrize(
    ("column", "status", "words"),
    [
        ({"first": 3, "values": [1.0]}, 409, "from place 2 on are missing"),
        ({"first": 0, "values": [2.0, 1.4]}, 409, "another point was stored at place 1"),
        ({"first": 1, "values": [1.5], "steps": [7]}, 409, "another point was stored at place 1"),
        ({"first": 2, "values": [1.0, 1.0], "steps": [9, 9]}, 422, "should increase"),
        ({"first": 2, "values": [1.0], "steps": [1]}, 422, "should increase"),
        ({"first": 2, "values": [1.0, 2.0], "steps": [1]}, 422, "has 1 steps of 2 values"),
        ({"first": 2, "values": [True]}, 422, "is no number: True"),
        ({"first": 2, "values": ["nan"]}, 422, "is no number: 'nan'"),
        ({"first": 2, "values": [10**400]}, 422, "no float holds"),
    ],
)
def test_what_contradicts_is_refused(client: TestClient, column: dict[str, object], status: int, words: str) -> None:
    run = runs_of(client, posted(client))[0]["id"]
    points(client, run, train_loss=[2.0, 1.5])
    assert words in points(client, run, status, train_loss=column, valid_accuracy=[0.5])["detail"]
    assert len(client.get(f"/runs/{run}/metrics").json()["series"]) == 1  # nothing of the post was stored


def test_only_declared_metrics_are_taken(client: TestClient) -> None:
    run = runs_of(client, posted(client))[0]["id"]
    refused = points(client, run, 422, train_los=[2.0])
    assert refused["errors"] == [
        {
            "path": "points.train_los",
            "message": "unknown metric 'train_los'; did you mean 'train_loss'?",
            "known": ["train_loss"],
        }
    ]


def test_an_end_is_said_once(client: TestClient) -> None:
    run = runs_of(client, posted(client))[0]["id"]
    points(client, run, valid_accuracy=[0.5])
    last = {"valid_accuracy": {"first": 1, "values": [0.75, None]}, "val/lr": {"first": 0, "values": ["Infinity"]}}
    assert finish(client, run, points=last)["outcome"] == "completed"
    assert finish(client, run, points=last)["next"] == {"valid_accuracy": 3, "val/lr": 1}
    assert "has ended as completed" in finish(client, run, "diverged", 409)["detail"]
    assert "takes no more points" in points(client, run, 409, train_loss=[1.0])["detail"]
    assert points(client, run, valid_accuracy=[0.5])["known"] == 1
    assert client.get(f"/runs/{run}").json()["final"] == {"valid_accuracy": None, "val/lr": None}


def test_arms_of_two_external_experiments_are_paired_as_declared(client: TestClient) -> None:
    ids = []
    for label in ("he", "lecun"):
        made = posted(client, arms=[{"label": label}, {"label": "zeros"}], data="digits, 80:20", seeds=3)
        trained(client, made)
        ids.append(made["id"])
    asked = {"arms": [{"experiment": ids[0], "arm": "he"}, {"experiment": ids[1], "arm": "lecun"}]}
    report = client.post("/comparisons", json=asked).json()
    assert (report["paired"], report["reason"]) == (True, "paired as declared: data and 3 seeds agree")
    other = posted(client, data="another split")
    asked["arms"].append({"experiment": other["id"], "arm": "he"})
    refused = client.post("/comparisons", json=asked)
    assert refused.status_code == 422
    assert "another split" in refused.json()["detail"]
