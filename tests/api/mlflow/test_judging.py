"""Runs that were logged at MLflow's door, and the external experiment in which they are judged."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.mlflow.logged import BASE, Call, end, judged, log, note, started


def test_runs_of_named_arms_and_seeds_are_judged_as_they_go_on(client: TestClient, call: Call, experiment: str) -> None:
    for arm, gain in (("adam", 0.2), ("sgd", 0.0)):
        for seed in range(4):
            run = started(call, experiment, {"lr": "0.1", "seed": str(seed)}, arm=arm)
            log(call, run, [(0, 0.1), (1, 0.5 + gain + seed / (100 if gain else 90))])
            log(call, run, [(0, 1.0), (1, 0.5 - gain)], "train_loss")
            assert judged(client, run)["status"] == "running"
            end(call, run)
    found = judged(client, run)
    assert (found["arm"], found["seed"], found["status"], found["outcome"]) == ("sgd", 3, "succeeded", "completed")
    one = client.get(f"/experiments/{found['experiment_id']}").json()
    assert (one["status"], one["name"], one["spec"]["outcome"]) == ("running", "theirs", "val_acc")
    assert one["spec"]["arms"][0] == {"label": "adam", "config": {"lr": 0.1}}
    metrics = {metric["name"]: metric["direction"] for metric in one["spec"]["metrics"]}
    assert metrics == {"val_acc": "max", "train_loss": "min"}
    report = client.get(f"/experiments/{found['experiment_id']}/report").json()
    (pair,) = report["comparisons"]
    assert (pair["better"], pair["decision"]) == ("adam", "better")
    closed = client.post(f"/experiments/{found['experiment_id']}/cancel").json()
    assert closed["status"] == "succeeded"
    assert client.get(f"/experiments/{found['experiment_id']}/plots/accuracy.json").status_code in (200, 404)
    again = started(call, experiment, {"seed": "0"}, arm="new")  # the closed one stays as it is
    log(call, again, [(0, 0.5)])
    assert judged(client, again)["experiment_id"] != found["experiment_id"]


def test_an_arm_of_all_params_is_known_at_the_end(client: TestClient, call: Call, experiment: str) -> None:
    run = started(call, experiment, {"lr": "0.1", "random_state": "7"})
    log(call, run, [(0, 0.5)])
    call("runs/log-parameter", run_id=run, key="depth", value="3")
    assert "initlab.run" not in client.get(f"{BASE}/runs/get", params={"run_id": run}).text
    end(call, run)
    found = judged(client, run)
    assert (found["arm"], found["seed"], found["final"]) == ("depth=3, lr=0.1", 7, {"val_acc": 0.5})


def test_without_a_seed_runs_are_numbered_and_it_is_said(client: TestClient, call: Call, experiment: str) -> None:
    for number in range(2):
        run = started(call, experiment, arm="a")
        log(call, run, [(0, 0.5)])
        end(call, run)
        assert judged(client, run)["seed"] == number
        assert "no seed was logged" in note(client, run)


def test_a_second_run_of_an_arm_and_a_seed_is_kept_and_not_judged(
    client: TestClient, call: Call, experiment: str
) -> None:
    first, second = (started(call, experiment, {"seed": "1"}, arm="a") for _ in range(2))
    for run in (first, second):
        log(call, run, [(0, 0.5)])
        end(call, run)
    assert "arm a, seed 1 is there already" in note(client, second)
    call("runs/delete", run_id=first)
    third = started(call, experiment, {"seed": "1"}, arm="a")
    log(call, third, [(0, 0.75)])
    end(call, third)
    assert judged(client, third)["final"] == {"val_acc": 0.75}


def test_a_run_may_take_the_place_of_one_that_failed(client: TestClient, call: Call, experiment: str) -> None:
    failed = started(call, experiment, {"seed": "1"}, arm="a")
    log(call, failed, [(0, 0.5)])
    end(call, failed, "FAILED")
    assert judged(client, failed)["status"] == "failed"
    again = started(call, experiment, {"seed": "1"}, arm="a")
    log(call, again, [(0, 0.625)])
    end(call, again)
    assert judged(client, again)["final"] == {"val_acc": 0.625}


@pytest.mark.parametrize(
    ("points", "steps", "values"),
    [
        ([(0, 1), (10, 2), (20, 3)], [0, 10, 20], [1, 2, 3]),
        ([(0, 1), (0, 2), (0, 3)], [0, 1, 2], [1, 2, 3]),  # the loop names no steps
        ([(0, 1), (10, 2), (5, 3)], [0, 5, 10], [1, 3, 2]),  # out of order
        ([(0, 1), (1, 2), (0, 3), (1, 4), (2, 5)], [0, 1, 2], [3, 4, 5]),  # begun anew: the last of a step holds
        ([(-1, 9), (0, 1), (1, 2)], [0, 1], [1, 2]),  # before the training
        ([(0, 1), (0, 2), (5, 3)], [0, 5], [2, 3]),
        ([(0, 1), (1, "Infinity"), (2, "NaN"), (3, 4)], [0, 1, 2, 3], [1, None, None, 4]),
    ],
)
def test_steps_rise(
    client: TestClient, call: Call, experiment: str, points: list[tuple[int, Any]], steps: list[int], values: list[Any]
) -> None:
    run = started(call, experiment, {"seed": "0"}, arm="a")
    for point in points:
        log(call, run, [point])
    end(call, run)
    assert judged(client, run)["series"] == {"val_acc": (steps, values)}
    asked: dict[str, str] = {"run_id": run, "metric_key": "val_acc", "max_results": "2"}
    page = client.get(f"{BASE}/metrics/get-history", params=asked).json()
    found = page["metrics"]
    while "next_page_token" in page:
        page = client.get(f"{BASE}/metrics/get-history", params=asked | {"page_token": page["next_page_token"]}).json()
        found += page["metrics"]
    assert [(one["step"], one["value"]) for one in found] == points  # as it came


def test_the_same_points_again_change_nothing(client: TestClient, call: Call, experiment: str) -> None:
    run = started(call, experiment, {"seed": "0"}, arm="a")
    for _ in range(2):
        log(call, run, [(0, 0.5), (1, "NaN"), (2, 0.75)])
    end(call, run)
    end(call, run)
    assert judged(client, run)["series"] == {"val_acc": ([0, 1, 2], [0.5, None, 0.75])}


def test_what_comes_after_the_end_is_judged_with_the_next_end(client: TestClient, call: Call, experiment: str) -> None:
    run = started(call, experiment, {"seed": "0"}, arm="a")
    log(call, run, [(0, 0.5)])
    end(call, run)
    call("runs/update", run_id=run, status="RUNNING")
    log(call, run, [(1, 0.75)])
    end(call, run)
    found = judged(client, run)
    assert (found["series"], found["status"]) == ({"val_acc": ([0, 1], [0.5, 0.75])}, "succeeded")


def test_a_last_value_that_is_not_finite_is_a_divergence(client: TestClient, call: Call, experiment: str) -> None:
    run = started(call, experiment, {"seed": "0"}, arm="a")
    log(call, run, [(0, 0.5), (1, "NaN")])
    end(call, run)
    assert judged(client, run)["outcome"] == "diverged"


def test_tags_of_the_experiment_say_how_runs_are_judged(client: TestClient, call: Call, experiment: str) -> None:
    run = started(call, experiment, {"seed": "0"}, arm="a")
    log(call, run, [(0, 0.5)])
    log(call, run, [(0, 3.0)], "perplexed")
    for key, value in (("outcome", "perplexed"), ("direction", "min"), ("margin", "0.25"), ("baseline", "a")):
        call("experiments/set-experiment-tag", experiment_id=experiment, key=f"initlab.{key}", value=value)
    spec = client.get(f"/experiments/{judged(client, run)['experiment_id']}").json()["spec"]
    assert (spec["outcome"], spec["margin"], spec["baseline"]) == ("perplexed", 0.25, "a")
    assert {one["name"]: one["direction"] for one in spec["metrics"]} == {"val_acc": "max", "perplexed": "min"}


def test_names_that_cannot_be_judged_are_kept(client: TestClient, call: Call, experiment: str) -> None:
    run = started(call, experiment, {"seed": "0"}, arm="a")
    for metric in ("val_acc", "best_val_acc", "diverged", "system/cpu", "x" * 200):
        log(call, run, [(0, 1.0)], metric)
    end(call, run)
    spec = client.get(f"/experiments/{judged(client, run)['experiment_id']}").json()["spec"]
    assert {one["name"]: one["direction"] for one in spec["metrics"]} == {
        "val_acc": "max",
        "best_val_acc": "none",
        "diverged": "none",
        "system/cpu": "none",
    }
    assert len(client.get(f"{BASE}/runs/get", params={"run_id": run}).json()["run"]["data"]["metrics"]) == 5
