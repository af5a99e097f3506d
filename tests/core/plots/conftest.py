"""Experiments with series that are formulas, without a trainer."""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.datasets import DatasetPaths
from core.metrics import Task
from core.results import Outcome, Results, RunResult, Series
from core.spec import parse
from core.training.designs import trained_results

MakeResults = Callable[..., Results]


@pytest.fixture
def experiment() -> MakeResults:
    """`experiment(arms, series, outcomes=..., statuses=..., **spec)`.

    `series` maps a metric to `values(arm's index, seed)`; `outcomes` and `statuses` map (arm's index, seed) to what
    differs from a completed run.
    """

    def make(
        arms: Sequence[Mapping[str, Any]] | None,
        series: Mapping[str, Callable[[int, int], Any]],
        outcomes: Mapping[tuple[int, int], Outcome | None] | None = None,
        statuses: Mapping[tuple[int, int], str] | None = None,
        steps_per_epoch: int = 5,
        task: Task = "multiclass",
        **spec: Any,
    ) -> Results:
        parsed = parse({"epochs": 2, "seeds": 2} | ({} if arms is None else {"arms": list(arms)}) | spec)
        runs: list[RunResult] = []
        found: dict[str, list[Series]] = {metric: [] for metric in series}
        for a, arm in enumerate(parsed.expanded):
            for seed in parsed.seed_list:
                final: dict[str, float | None] = {}
                for metric, values in series.items():
                    y = np.asarray(values(a, seed), dtype=np.float64)
                    found[metric].append(Series(len(runs), arm.label, seed, metric, np.arange(len(y)), y))
                    final[metric] = float(y[-1]) if len(y) and np.isfinite(y[-1]) else None
                status = (statuses or {}).get((a, seed), "succeeded")
                outcome: Outcome | None = (outcomes or {}).get(
                    (a, seed), "completed" if status == "succeeded" else None
                )
                runs.append(RunResult(len(runs), arm.label, seed, status, outcome, final))
        return trained_results(
            parsed,
            task=task,
            paths=DatasetPaths(),
            steps_per_epoch=[steps_per_epoch],
            runs=runs,
            series=lambda metric: found.get(metric, []),
        )

    return make


def arms(*labels: str, **settings: Any) -> list[dict[str, Any]]:
    return [{"label": label, "initializer": "he_normal"} | settings for label in labels]


@pytest.fixture
def pixels() -> Callable[[bytes], Any]:
    """The pixels of a PNG: (down, across, 3)."""
    return lambda png: np.asarray(Image.open(io.BytesIO(png)))
