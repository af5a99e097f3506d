"""A trained experiment as a server would tell it: two arms of two seeds, one diverged run, a second training."""

from collections.abc import Callable
from typing import Any

import pytest

from initlab import Client, Experiment

LABEL = "he: a/b"
SPEC = {
    "name": "x",
    "optimizer": {"name": "adam", "lr": 0.001},
    "dataset": {"name": "digits"},
    "epochs": 2,
    "target": None,
    "arms": [{"label": LABEL, "initializer": {"name": "he_normal"}}, {"label": "zeros", "optimizer": {"lr": 0.1}}],
}
UPDATES, EPOCHS = 6, 2
Key = tuple[str, int, str | None]
KEYS: list[Key] = [(LABEL, 0, None), (LABEL, 1, None), ("zeros", 0, None), ("zeros", 1, None), (LABEL, 0, "init")]


def value(run: int, metric: str, step: int) -> float | None:
    """A value for each place; one run diverged."""
    return None if (run, metric, step) == (4, "train_loss", 5) else run + len(metric) / 100 + step / 7


def series(run: int, key: Key) -> list[dict[str, Any]]:
    every = {
        "train_loss": ("step", UPDATES, 1),
        "activation_std/fc1": ("step", UPDATES, 3),
        "valid_loss": ("epoch", 2, 1),
    }
    found = []
    for metric, (unit, n, each) in every.items():
        steps = list(range(0, n, each))
        values = [value(run, metric, step) for step in steps]
        one = {"run_id": run, "arm": key[0], "seed": key[1], "metric": metric, "unit": unit}
        found.append(one | {"steps": steps, "values": values, "total": len(steps)})
    return found


@pytest.fixture
def trained(server: Any, experiment: dict[str, Any]) -> Callable[[], Experiment]:
    """Returns the experiment, with a server that answers what an export asks for."""

    def made() -> Experiment:
        server.answers[:] = []
        arms = [experiment["arms"][0] | {"label": label} for label in (LABEL, "zeros")]
        server.answer(200, experiment | {"id": 7, "name": "x", "spec": SPEC, "arms": arms})
        runs = [
            {
                "id": i + 1,
                "arm": arm,
                "seed": seed,
                "repeat": varied is not None,
                "varied": varied,
                "status": "succeeded",
                "outcome": "diverged" if i == 3 else "completed",
                "started_at": "2026-11-21T06:00:00Z",
                "finished_at": "2026-11-21T06:01:00Z",
            }
            for i, (arm, seed, varied) in enumerate(KEYS)
        ]
        waiting = runs[0] | {"id": 9, "started_at": None, "status": "queued"}
        server.answer(200, {"items": [*runs, waiting], "next": None})
        every = {i + 1: series(i + 1, key) for i, key in enumerate(KEYS)}
        for ids in ((1, 2), (3, 4), (5,)):
            server.answer(200, {"series": [one for run in ids for one in every[run]]})
        return Client().experiment(7)

    return made
