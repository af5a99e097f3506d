"""Experiments that were trained elsewhere, with metrics of their own."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from core.external import external_results, parse
from core.results import Results, RunResult, Series

EPOCHS = np.arange(1, 7)


def external(
    metrics: Sequence[dict[str, Any]],
    values: Callable[[str, int, int], Any],
    steps: Callable[[str, int, int], Any] | None = None,
    **spec: Any,
) -> Results:
    """`values(metric, arm, seed)` are a run's points, `steps(metric, arm, seed)` where they were measured: 0, 1, ..."""
    given = {"kind": "external", "arms": [{"label": "adam"}, {"label": "sgd"}], "seeds": 3, "metrics": [*metrics]}
    parsed = parse(given | spec)
    runs: list[RunResult] = []
    found: dict[str, list[Series]] = {one["name"]: [] for one in metrics}
    for a, label in enumerate(parsed.labels):
        for seed in parsed.seed_list:
            final: dict[str, float | None] = {}
            for one in metrics:
                y = np.asarray(values(one["name"], a, seed), dtype=np.float64)
                x = np.arange(len(y)) if steps is None else np.asarray(steps(one["name"], a, seed))
                found[one["name"]].append(Series(len(runs), label, seed, one["name"], x, y, one.get("per", "epoch")))
                final[one["name"]] = float(y[-1])
            runs.append(RunResult(len(runs), label, seed, "succeeded", "completed", final))
    return external_results(parsed, runs=runs, series=lambda metric: found.get(metric, []))


def by_epoch(**spec: Any) -> Results:
    """As `initlab import csv` makes it of columns optimizer, seed, epoch and val_acc."""
    rising = lambda _metric, a, s: 1 - 0.9 * np.exp(-(a + 1 + s / 10) * EPOCHS / 6)  # noqa: E731
    return external([{"name": "val_acc", "direction": "max"}], rising, **spec)


def long_names() -> Results:
    """Metrics with the longest names that there may be, so small or so large that their numbers need powers of ten."""
    name = "mean intersection over union of the foreground classes of the held-out images at the threshold"
    metrics = [{"name": f"{i} {name}"[:119], "direction": "min"} for i in range(2)]
    return external(
        metrics, lambda metric, a, s: 10.0 ** (12 - 24 * int(metric[0])) * np.exp(-(a + 1 + s / 10) * EPOCHS)
    )


def losses(**spec: Any) -> Results:
    """A loss of the catalogue's name that was noted by epoch, and a reward below zero that was noted by update."""
    metrics = [
        {"name": "train_loss", "direction": "min"},
        {"name": "valid_loss", "direction": "min"},
        {"name": "episode_reward", "direction": "max", "per": "step"},
    ]
    sign = {"episode_reward": -1e4}
    return external(metrics, lambda name, a, s: sign.get(name, 1.0) * np.exp(-(a + 1 + s / 10) * EPOCHS / 6), **spec)
