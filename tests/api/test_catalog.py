"""`GET /catalog` has all that a training is measured and judged by, beside what a spec names, plug-ins' too."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.catalog_examples import PREVIEWED, asked_of
from api.catalog_schemas import RECORDS, CatalogOut, FindingEntryOut, MetricEntryOut, OutcomeEntryOut
from core.analysis.findings import rules
from core.analysis.outcomes import outcomes
from core.metrics import metrics
from tests.core.plugins.planting import metric, planted

ELSEWHERE = {name: f"fetch {name}" for name in ("cifar10", "cifar100", "fashion_mnist", "kmnist", "mnist")}
ELSEWHERE["uploaded"] = "initlab datasets upload"
"""Data sets whose files are not here, and what is said of them."""
OWN = """
from core.analysis.findings import Bound, Curves, Rule, rules
from core.analysis.outcomes import OutcomeEntry, outcomes

outcomes.add(OutcomeEntry(name="own_outcome", label="own outcome", direction="max", rank=900, explanation="Its steps.",
                          of_run=lambda run, results: float(run.steps_done)))
rules.add(Rule(name="own_finding", label="an own finding", rank=900, looks_at=Curves,
               bounds={"height": Bound(2.5, "height of the loss, above")}, check=lambda run, bounds: None,
               explanation="The loss is {height} high."))
"""


def test_each_metric_outcome_and_finding_is_there(client: TestClient) -> None:
    whole = CatalogOut.model_validate(client.get("/catalog").json())
    assert [one.name for one in whole.metrics] == list(metrics)
    assert [one.name for one in whole.outcomes] == list(outcomes)
    assert [one.name for one in whole.findings] == list(rules)
    for kind in RECORDS:
        items = client.get(f"/catalog/{kind}").json()["items"]
        assert items == client.get("/catalog").json()[kind]
        assert all(one["plugin"] is None for one in items)
        assert client.get(f"/catalog/{kind}/{items[0]['name']}").json() == items[0]


def test_what_is_said_of_one(client: TestClient) -> None:
    accuracy = MetricEntryOut.model_validate(client.get("/catalog/metrics/test_accuracy").json())
    assert (accuracy.direction, accuracy.per, accuracy.split, accuracy.compared) == ("max", "epoch", "test", True)
    assert accuracy.summary == "test accuracy, once, when a run has ended"
    energy = OutcomeEntryOut.model_validate(client.get("/catalog/outcomes/energy_kwh").json())
    assert (energy.unit, energy.direction, energy.describes) == ("kWh", "min", True)
    dead = FindingEntryOut.model_validate(client.get("/catalog/findings/dead_relu").json())
    assert (dead.looks_at, dead.bounds["activation_dead"].value) == ("layers", 0.75)
    assert "flat_loss" in dead.explains


@pytest.mark.parametrize(("path", "said"), [("metrics/valid_acuracy", "valid_accuracy"), ("finding", "findings")])
def test_the_nearest_name_is_told(client: TestClient, path: str, said: str) -> None:
    answer = client.get(f"/catalog/{path}")
    assert answer.status_code == 404
    assert f"did you mean {said!r}" in answer.json()["detail"]


def test_those_of_plug_ins_say_whose_they_are(tmp_path: Path) -> None:
    with planted(tmp_path, {"own.py": OWN + metric("own_score")}):
        for kind, name in (("metrics", "valid_own_score"), ("outcomes", "own_outcome"), ("findings", "own_finding")):
            assert name in RECORDS[kind].names()
            assert RECORDS[kind].describe(name)["plugin"] == "own"
    assert not any("own_finding" in records.names() for records in RECORDS.values())


@pytest.mark.parametrize("kind", list(PREVIEWED))
def test_every_entry_has_an_example_that_its_preview_draws(client: TestClient, kind: str) -> None:
    for entry in client.get(f"/catalog/{kind}").json()["items"]:
        answer = client.post(
            f"/previews/{PREVIEWED[kind]}", json=asked_of(kind, entry["name"]), headers={"Accept": "image/png"}
        )
        if entry["name"] in ELSEWHERE:
            assert answer.status_code == 422
            assert ELSEWHERE[entry["name"]] in answer.text
            continue
        assert (answer.status_code, answer.content[:4]) == (200, b"\x89PNG"), (entry["name"], answer.text)
        assert asked_of(kind, entry["name"]).items() >= entry["preview"].items()
