"""A worker killed around a look: it is neither lost nor taken twice, and the numbers are those of a run unharmed."""

from collections import Counter
from typing import Any

import pytest

from tests.service.running import Running, until

WANTED: dict[str, Any] = {
    "name": "seeds added",
    "model": {"name": "mlp", "hidden": [16], "dropout": 0.1},
    "optimizer": {"name": "adam", "lr": 0.005},
    "arms": [
        {"label": "zeros", "initializer": "zeros"},
        {"label": "he", "initializer": "he_normal"},
        {"label": "glorot", "initializer": "glorot_normal", "batch_size": 101},
    ],
    "seeds": {"from": 3, "to": 7, "looks": [3, 5, 7]},
    "epochs": 1,
    "checkpoint_every": 0.1,
}
"""Two cohorts for each look; nothing is decided at the first, and the second gives up on zeros."""
pytestmark = [
    pytest.mark.service,
    pytest.mark.parametrize("backend", ["sqlite+filesystem"], indirect=True),
]


def assert_looked(service: Running, experiment: int) -> None:
    one = service.get(f"/experiments/{experiment}")
    looks = one["looks"]
    assert [(look["seeds"], look["arms"]) for look in looks] == [
        (3, ["zeros", "he", "glorot"]),
        (5, ["he", "glorot"]),
        (7, []),
    ]
    assert [event["detail"] for event in service.history(experiment) if event["kind"] == "look"] == looks
    runs = Counter(run["arm"] for run in service.get(f"/experiments/{experiment}/runs", limit=100)["items"])
    assert runs == {"zeros": 5, "he": 7, "glorot": 7}
    assert one["progress"]["runs_done"] == one["progress"]["runs_total"] == 19


@pytest.mark.parametrize("point", ["end.committed", "look.before_commit", "look.committed"])
def test_a_worker_killed_around_a_look_changes_nothing(service: Running, point: str) -> None:
    service.order(point, "kill")
    experiment = service.post(WANTED)
    until(lambda: not service.is_ordered(point))
    service.assert_unharmed(experiment, WANTED)
    assert_looked(service, experiment)
