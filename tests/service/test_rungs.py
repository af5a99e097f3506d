"""A worker killed around a rung: no decision is lost or made twice, and the numbers are those of a run unharmed."""

import pytest

from tests.service.running import Running, until

WANTED = {
    "name": "pruned on the way",
    "model": {"name": "mlp", "hidden": [16], "dropout": 0.1},
    "optimizer": {"name": "adam", "lr": 0.005},
    "arms": [
        {"label": "zeros", "initializer": "zeros"},
        {"label": "he", "initializer": "he_normal"},
        {"label": "glorot", "initializer": "glorot_normal", "batch_size": 50},
    ],
    "seeds": 3,
    "epochs": 5,
    "pruning": {"first": 1, "factor": 3},
    "checkpoint_every": 0.1,
}
"""Two cohorts, which wait for each other after epochs 1 and 3."""
pytestmark = [
    pytest.mark.service,
    pytest.mark.parametrize("backend", ["sqlite+filesystem"], indirect=True),
]


@pytest.mark.parametrize(
    "point",
    ["checkpoint.before_write", "end.fenced", "end.committed", "decide.before_commit", "decide.committed"],
)
def test_a_worker_killed_around_a_rung_changes_nothing(service: Running, point: str) -> None:
    service.order(point, "kill")
    experiment = service.post(WANTED)
    until(lambda: not service.is_ordered(point))
    service.assert_unharmed(experiment, WANTED)
    told = service.history(experiment)
    assert [event["detail"]["epoch"] for event in told if event["kind"] == "rung"] == [1, 3]
    report = service.get(f"/experiments/{experiment}/report")
    assert [one["arm"] for one in report["saved"]["pruned"]] == ["zeros"]
    assert report["saved"]["runs_pruned"] == 3
    assert "zeros" not in [label for group in report["verdict"]["groups"] for label in group]
