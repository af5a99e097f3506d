"""External experiments in a study and before webhooks: a level, a verdict and deliveries as of trained ones."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from scipy.special import zeta

from core.experiments.maintenance import sweep
from tests.api.externals import finish, points, posted, runs_of, trained
from tests.api.held import service_of
from tests.api.test_growth import declare


def test_a_chain_of_external_experiments_keeps_and_spends(client: TestClient) -> None:
    chain: dict[str, Any] = {"study": "chain", "baseline": "zeros"}
    first = posted(client, **chain)
    assert first["spec"]["alpha"] == pytest.approx(0.05 / zeta(1.6))
    trained(client, first)
    second = posted(client, **chain, arms=[{"label": "zeros"}, {"label": "he"}])
    trained(client, second)
    third = posted(client, **chain)
    found = client.get("/studies/chain").json()
    decided = [(one["experiment_id"], one["decision"], one["arm"]) for one in found["verdicts"]]
    assert decided == [(first["id"], "keep", "he"), (second["id"], "discard", None), (third["id"], None, None)]
    for one in found["verdicts"][:2]:
        report = client.get(f"/experiments/{one['experiment_id']}/report").json()
        assert (report["alpha"], report["comparisons"][0]["p_adjusted"]) == (one["alpha"], one["p"])
    assert "was given its level" in declare(client, second, 409, arms=[{"label": "new"}])["detail"]
    client.post(f"/experiments/{third['id']}/cancel")
    assert client.get("/studies/chain").json()["verdicts"][2]["decision"] == "inconclusive"


def test_webhooks_are_told_of_states_and_looks(client: TestClient) -> None:
    events = [f"experiment.{name}" for name in ("queued", "running", "decided", "succeeded")]
    hook = client.post("/webhooks", json={"url": "https://lab.example/hook", "events": events}).json()
    made = posted(client, seeds={"from": 3, "to": 6, "looks": [3, 6]})
    for seeds in ((0, 1, 2), (3, 4, 5)):
        for run in runs_of(client, made):
            if run["seed"] in seeds:
                points(client, run["id"], valid_accuracy=[0.9 + run["seed"] / 1000 - 0.5 * (run["arm"] == "zeros")])
                finish(client, run["id"])
        sweep(service_of(client).database, 0)
    told = client.get(f"/webhooks/{hook['id']}/deliveries").json()["items"]
    assert [one["event"].removeprefix("experiment.") for one in reversed(told)] == [
        "queued",
        "running",
        "decided",
        "decided",
        "succeeded",
    ]
    assert client.get(f"/experiments/{made['id']}").json()["status"] == "succeeded"


def test_webhooks_are_told_that_what_has_grown_runs_again(client: TestClient) -> None:
    events = ["experiment.running", "experiment.succeeded"]
    hook = client.post("/webhooks", json={"url": "https://lab.example/hook", "events": events}).json()
    made = posted(client, seeds=2)
    trained(client, made)
    declare(client, made, seeds=[7])
    told = client.get(f"/webhooks/{hook['id']}/deliveries").json()["items"]
    assert [one["event"] for one in reversed(told)] == [*events, "experiment.running"]
