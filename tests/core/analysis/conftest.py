"""Experiments whose final values are written down, without a trainer."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from core.datasets import DatasetPaths
from core.metrics import Task
from core.results import Results, RunResult
from core.spec import parse
from core.training.designs import trained_results

Finals = Mapping[str, Sequence[float | str | None]]
MakeResults = Callable[..., Results]


@pytest.fixture
def experiment() -> MakeResults:
    """`experiment({label: [value of seed 0, ...]}, **spec)`: a word such as "diverged" or "failed" instead of a value
    says how the run ended, None that its metric is not finite."""

    def make(
        finals: Finals,
        metric: str = "valid_accuracy",
        task: Task = "multiclass",
        paths: DatasetPaths = DatasetPaths(),  # noqa: B008 a tuple
        **spec: Any,
    ) -> Results:
        seeds = len(next(iter(finals.values())))
        arms = [{"label": label, "initializer": "zeros"} for label in finals]
        parsed = parse({"arms": arms, "seeds": seeds, "epochs": 2} | spec)
        runs = [
            run_of(a * seeds + s, label, seed, value, metric)
            for a, (label, values) in enumerate(finals.items())
            for s, (seed, value) in enumerate(zip(parsed.seed_list, values, strict=True))
        ]
        return trained_results(
            parsed, task=task, paths=paths, steps_per_epoch=[15], runs=runs, series=lambda _metric: []
        )

    return make


def run_of(i: int, label: str, seed: int, value: float | str | None, metric: str) -> RunResult:
    if isinstance(value, str) and value != "diverged":
        return RunResult(i, label, seed, value, None, {})
    final = 0.99 if value == "diverged" else value
    outcome = "diverged" if value == "diverged" else "completed"
    return RunResult(i, label, seed, "succeeded", outcome, {metric: final})  # type: ignore[arg-type, dict-item]
