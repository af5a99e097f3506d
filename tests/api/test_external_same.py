"""An external experiment that is fed with the numbers of a trained one has its report, to the digit."""

from collections.abc import Callable
from typing import Any

from fastapi.testclient import TestClient

from core.metrics import metrics
from tests.api.externals import finish, points, posted, runs_of

TRAINED: dict[str, Any] = {
    "name": "ours",
    "model": {"name": "mlp", "hidden": [16]},
    "arms": [
        {"label": "he", "initializer": "he_normal"},
        {"label": "small", "initializer": {"name": "normal", "std": 1e-3}},
    ],
    "seeds": [3, 5, 8],
    "epochs": 3,
    "batch_size": 50,
    "optimizer": {"name": "adam", "lr": 0.005},
    "target": {"metric": "valid_accuracy", "value": 0.7},
    "margin": 0.01,
    "evaluate": {"examples": False},
}
OF_THE_TRAINER = ("run_id", "seconds", "steps_per_second", "energy_kwh", "co2e_g")
"""What a run took, and which run it is."""


def without_trainer(value: Any) -> Any:
    """Return a part of a report without what depends on who trained it, and when."""
    if isinstance(value, dict):
        return {name: without_trainer(one) for name, one in value.items() if name not in OF_THE_TRAINER}
    return [without_trainer(one) for one in value] if isinstance(value, list) else value


def test_its_report_is_the_same_to_the_digit(client: TestClient, work: Callable[[], int]) -> None:
    ours = client.post("/experiments", json=TRAINED).json()
    work()
    runs = client.get(f"/experiments/{ours['id']}/runs").json()["items"]
    series = client.get(f"/experiments/{ours['id']}/metrics").json()["series"]
    names = list(dict.fromkeys(one["metric"] for one in series))
    names.sort(key=lambda name: list(metrics).index(name))
    steps = runs[0]["steps_total"]
    theirs = posted(
        client,
        name="ours",
        arms=[{"label": arm["label"]} for arm in TRAINED["arms"]],
        seeds=TRAINED["seeds"],
        metrics=[{"name": name, "direction": metrics[name].direction, "per": metrics[name].per} for name in names],
        outcome="valid_accuracy",
        target=TRAINED["target"],
        margin=TRAINED["margin"],
        steps_per_epoch=steps // TRAINED["epochs"],
    )
    for mine, run in zip(runs, runs_of(client, theirs), strict=True):
        assert (mine["arm"], mine["seed"]) == (run["arm"], run["seed"])
        columns = {one["metric"]: one["values"] for one in series if one["run_id"] == mine["id"]}
        points(client, run["id"], **columns)
        ended = finish(client, run["id"], mine["outcome"])
        assert ended["status"] == "succeeded"
    again = {run["seed"]: run for run in runs_of(client, theirs) if run["arm"] == "he"}
    assert all(again[run["seed"]]["final"] == run["final"] for run in runs if run["arm"] == "he")
    reports = [client.get(f"/experiments/{one['id']}/report").json() for one in (ours, theirs)]
    for part in ("metric", "split", "margin", "alpha", "reference", "arms", "comparisons", "looks", "runs"):
        found, expected = (without_trainer(report[part]) for report in reversed(reports))
        assert found == expected, part
    sentences = [report["verdict"].pop("text").split(" Judged on")[0] for report in reports]
    assert sentences[0] == sentences[1]
    assert reports[0]["verdict"] == reports[1]["verdict"]
