"""A chain of experiments over HTTP, trained by a real worker in this process."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from scipy.special import zeta

from tests.api.keyed import Make, Sent
from tests.api.test_projects import project

HE = {"initializer": "he_normal"}
ZEROS = {"initializer": "zeros"}
SPEC: dict[str, Any] = {
    "model": {"name": "mlp", "hidden": [16]},
    "optimizer": {"name": "adam", "lr": 0.01},
    "epochs": 3,
    "seeds": 5,
    "study": "chain",
}


def post(client: TestClient, now: dict[str, Any], new: dict[str, Any], sent: Sent | None = None, **query: str) -> Any:
    arms = [{"label": "now", **now}, {"label": "new", **new}]
    return client.post("/experiments", json=SPEC | {"baseline": "now", "arms": arms}, headers=sent, params=query)


def test_a_chain_keeps_discards_and_spends(client: TestClient, work: Callable[[], int]) -> None:
    first, second, third = (
        post(client, *arms).json() for arms in ((ZEROS, HE), (HE, ZEROS), (HE, HE | {"drop_last": True}))
    )
    found = client.get("/studies/chain").json()
    assert [one["decision"] for one in found["verdicts"]] == [None] * 3
    given = [0.025 * t**-1.6 / zeta(1.6) for t in (1, 2, 3)]
    assert [one["level"] for one in found["verdicts"]] == [pytest.approx(one) for one in given]
    assert [one["spec"]["alpha"] for one in (first, second, third)] == [one["alpha"] for one in found["verdicts"]]
    work()
    found = client.get("/studies/chain").json()
    decided = [(one["experiment_id"], one["decision"], one["arm"]) for one in found["verdicts"]]
    assert decided == [(1, "keep", "new"), (2, "discard", None), (3, "inconclusive", None)]
    assert [one["level"] for one in found["verdicts"]] == [pytest.approx(one) for one in given]
    assert (found["kept"], found["undecided"]) == (1, 0)
    assert found["spent"] == pytest.approx(sum(given))
    assert found["left"] == pytest.approx(0.05 - sum(given))
    for one in found["verdicts"]:
        report = client.get(f"/experiments/{one['experiment_id']}/report").json()
        assert report["alpha"] == one["alpha"]
        assert min(c["p_adjusted"] for c in report["comparisons"]) == one["p"]
    (listed,) = client.get("/studies").json()["items"]
    assert listed == {key: value for key, value in found.items() if key != "verdicts"}


def test_a_post_decides_first_what_has_ended(client: TestClient, work: Callable[[], int]) -> None:
    arms = [{"label": "now", **HE}, {"label": "new", **ZEROS}]
    body = SPEC | {"baseline": "now", "arms": arms}
    first = client.post("/experiments/preview", json=body).json()["study"]
    assert first == {"name": "chain", "project": "default", "position": 1, "alpha": pytest.approx(0.05 / zeta(1.6))}
    assert client.post("/experiments/preview", json=body | {"study": None}).json()["study"] is None
    post(client, ZEROS, HE)
    work()
    expected = 2 * (0.025 * 2**-1.6 + 0.025) / zeta(1.6)
    second = client.post("/experiments/preview", json=body).json()["study"]
    assert (second["position"], second["alpha"]) == (2, pytest.approx(expected)), "as if what has ended were decided"
    assert client.post("/experiments/preview", json=body | {"alpha": 0.01}).status_code == 422
    assert post(client, HE, ZEROS).json()["spec"]["alpha"] == pytest.approx(expected)
    assert client.delete("/experiments/1").status_code == 204
    verdicts = client.get("/studies/chain").json()["verdicts"]
    assert [(one["experiment_id"], one["name"], one["decision"]) for one in verdicts] == [
        (1, None, "keep"),
        (2, "untitled", None),
    ]


def test_a_repeated_post_takes_no_second_place(client: TestClient) -> None:
    key = {"Idempotency-Key": "k"}
    assert post(client, HE, ZEROS, key).json()["id"] == post(client, HE, ZEROS, key).json()["id"]
    assert len(client.get("/studies/chain").json()["verdicts"]) == 1


def test_a_study_of_others_is_not_there(client: TestClient, make: Make, admin: Sent) -> None:
    anna, ben = make("anna"), make("ben", "scope=read")
    project(client, admin, "nlp", members={"anna": "member"})
    assert post(client, HE, ZEROS, anna, project="nlp").status_code == 202
    assert post(client, HE, ZEROS, anna).status_code == 202
    assert [one["project"] for one in client.get("/studies", headers=ben).json()["items"]] == ["default"]
    assert len(client.get("/studies", headers=anna).json()["items"]) == 2
    assert client.get("/studies/chain?project=nlp", headers=anna).json()["project"] == "nlp"
    hidden = client.get("/studies/chain?project=nlp", headers=ben)
    nowhere = client.get("/studies/chain?project=nlq", headers=ben)
    assert hidden.status_code == nowhere.status_code == 404
    assert hidden.json()["detail"].replace("nlp", "nlq") == nowhere.json()["detail"]
    assert client.get("/studies/chain", headers=ben).status_code == 200
