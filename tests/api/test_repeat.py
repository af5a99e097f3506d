"""Second trainings over HTTP: seen where they are asked for, and in nothing else."""

from collections.abc import Callable
from typing import Any

from fastapi.testclient import TestClient

ONCE: dict[str, Any] = {
    "dataset": {"name": "two_spirals", "examples": 200},
    "model": {"name": "mlp", "hidden": [16]},
    "arms": [{"label": "he", "initializer": "he_normal"}, {"label": "glorot", "initializer": "glorot_normal"}],
    "seeds": 2,
    "epochs": 2,
}
TWICE = ONCE | {"repeat": {"rounding": True}}


def test_second_trainings_are_seen_where_they_are_asked_for(client: TestClient, work: Callable[[], int]) -> None:
    plan = client.post("/experiments/preview", json=TWICE).json()
    assert (plan["runs_total"], [arm["runs"] for arm in plan["arms"]]) == (8, [4, 4])
    assert plan["steps_total"] == 2 * client.post("/experiments/preview", json=ONCE).json()["steps_total"]
    assert [(cohort["lanes"], cohort["repeat"]) for cohort in plan["plan"]["cohorts"]] == [(4, False), (4, True)]
    here, once = (client.post("/experiments", json=spec).headers["Location"] for spec in (TWICE, ONCE))
    work()
    assert client.get(here).json()["progress"]["runs_done"] == 8

    runs = client.get(f"{here}/runs").json()["items"]
    pairs = [("he", 0), ("he", 1), ("glorot", 0), ("glorot", 1)]
    assert [(run["arm"], run["seed"], run["repeat"]) for run in runs] == [
        (*pair, repeat) for repeat in (False, True) for pair in pairs
    ]
    for repeat, mine in ((False, runs[:4]), (True, runs[4:])):
        assert client.get(f"{here}/runs", params={"repeat": repeat}).json()["items"] == mine
        ids = [run["id"] for run in mine]
        asked: dict[str, Any] = {"metric": "train_loss", "repeat": repeat}
        series = client.get(f"{here}/metrics", params=asked).json()["series"]
        assert [one["run_id"] for one in series] == ids
        assert client.get(f"/runs/{ids[0]}/metrics?metric=train_loss").json()["series"] == series[:1]
    first = [one["run_id"] for one in client.get(f"{here}/metrics?metric=train_loss").json()["series"]]
    assert first == [run["id"] for run in runs[:4]]

    report = client.get(f"{here}/report").json()
    assert [run["run_id"] for run in report["runs"]] == first
    assert [(arm["n"], arm["runs"]) for arm in report["arms"]] == [(2, 2), (2, 2)]
    assert [(arm["label"], arm["n"]) for arm in report["rounding"]["arms"]] == [("he", 2), ("glorot", 2)]
    assert "What rounding does" in client.get(f"{here}/report?format=html").text
    for plot in ("loss", "accuracy", "comparison"):
        drawn, expected = (client.get(f"{of}/plots/{plot}.json").json() for of in (here, once))
        assert drawn == expected, plot
