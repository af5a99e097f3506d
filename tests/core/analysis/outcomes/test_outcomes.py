"""Outcomes of runs whose curves are written down: every number is worked out by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from core.analysis import outcome_names, run_outcomes
from core.datasets import DatasetPaths
from core.metrics import Task
from core.results import Outcome, RunResult, Series
from core.spec import parse
from core.training.designs import trained_results


def one_run(
    series: Mapping[str, Sequence[float]],
    outcome: Outcome = "completed",
    status: str = "succeeded",
    task: Task = "multiclass",
    energy_kwh: float | None = None,
    **spec: Any,
) -> dict[str, float | None]:
    """The outcomes of a single run with these curves; an epoch has 15 updates."""
    parsed = parse({"seeds": [4], "epochs": 5} | spec)
    label = parsed.expanded[0].label
    final: dict[str, float | None] = {metric: float(values[-1]) for metric, values in series.items()}
    run = RunResult(7, label, 4, status, outcome, final, seconds=2.5, steps_done=75, energy_kwh=energy_kwh, co2e_g=120)

    def read(metric: str) -> list[Series]:
        values = np.asarray(series.get(metric, []), dtype=np.float64)
        return [Series(7, label, 4, metric, np.arange(len(values)), values)] if len(values) else []

    results = trained_results(parsed, task=task, paths=DatasetPaths(), steps_per_epoch=[15], runs=[run], series=read)
    found = run_outcomes(results)
    assert found[7].keys() == {*outcome_names(results), "diverged"}
    return found[7]


SCORES = [0.5, 0.8, 0.95, 0.9, 0.945]
CURVES = {
    "train_loss": [2.0, 1.0, 1.0, 0.5, 0.25],
    "train_accuracy": [0.55, 0.85, 0.97, 0.98, 0.99],
    "valid_accuracy": SCORES,
    "valid_loss": [1.5, 0.7, 0.2, 0.4, 0.3],
}


def test_last_and_best_values_and_the_gap() -> None:
    found = one_run(CURVES)

    assert (found["valid_accuracy"], found["best_valid_accuracy"]) == (0.945, 0.95)
    assert (found["valid_loss"], found["best_valid_loss"]) == (0.3, 0.2)
    assert (found["train_accuracy"], found["train_loss"]) == (0.99, 0.25)
    assert found["generalization_gap"] == pytest.approx(0.045)
    assert found["diverged"] == 0


def test_the_area_is_by_trapezoids_and_per_update() -> None:
    # (2 + 1)/2 + (1 + 1)/2 + (1 + 0.5)/2 + (0.5 + 0.25)/2 = 3.625 over four intervals
    assert one_run(CURVES)["loss_area"] == pytest.approx(3.625 / 4)
    assert one_run({"train_loss": [3.0]})["loss_area"] == 3.0
    for length in (4, 90):
        assert one_run({"train_loss": [0.7] * length})["loss_area"] == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("metric", "value", "steps"),
    [
        ("valid_accuracy", 0.8, 30),  # reached at the end of the second epoch of 15 updates
        ("valid_accuracy", 0.81, 45),
        ("valid_accuracy", 0.951, None),
        ("valid_loss", 0.4, 45),
        ("valid_loss", 0.1, None),
        ("train_accuracy", 0.2, 15),
    ],
)
def test_updates_to_the_target(metric: str, value: float, steps: int | None) -> None:
    found = one_run(CURVES, target={"metric": metric, "value": value})
    assert found["steps_to_target"] == steps


@pytest.mark.parametrize(
    ("scores", "jumps"),
    [
        ([0.1, 0.6, 0.85, 0.9, 0.91], 0.0),  # monotone, however steep
        ([0.6, 0.5, 0.6, 0.5], 0.1),  # nearest monotone curve: 0.55 throughout; every change is 0.1
        # 0.9 and 0.8 are pooled to 0.85: what is left is 0, 0.05, -0.05, 0, and its changes 0.05, -0.1, 0.05
        ([0.1, 0.9, 0.8, 1.0], ((0.05**2 + 0.1**2 + 0.05**2) / 3) ** 0.5),
        ([0.1, 0.2], None),
    ],
)
def test_stability_is_the_rms_change_about_the_nearest_monotone_curve(scores: list[float], jumps: float | None) -> None:
    found = one_run({"valid_accuracy": scores})["stability"]
    assert found == (None if jumps is None else pytest.approx(jumps, abs=1e-12))


def test_a_score_that_never_changes_is_as_steady_as_can_be() -> None:
    assert one_run({"valid_accuracy": [0.7995] * 30})["stability"] == 0.0


def test_regression_is_scored_by_r2() -> None:
    curves = {"train_r2": [0.2, 0.6, 0.9], "valid_r2": [-0.5, 0.5, 0.4], "valid_loss": [3.0, 1.0, 1.2]}
    found = one_run(curves, task="regression", dataset="diabetes", target={"metric": "valid_r2", "value": 0.45})

    assert (found["best_valid_r2"], found["best_valid_loss"]) == (0.5, 1.0)
    assert found["generalization_gap"] == pytest.approx(0.5)
    assert found["steps_to_target"] == 30
    assert "valid_accuracy" not in found


def test_a_diverged_run_has_no_values_but_its_time_and_the_target_it_reached() -> None:
    found = one_run(CURVES, "diverged", target={"metric": "valid_accuracy", "value": 0.9})

    known = {name: value for name, value in found.items() if value is not None}
    assert known == {"diverged": 1, "steps_to_target": 45, "seconds": 2.5, "steps_per_second": 30}


def test_energy_was_taken_by_a_run_that_diverged_too() -> None:
    for outcome in ("completed", "diverged"):
        found = one_run(CURVES, outcome, energy_kwh=0.25)
        assert (found["energy_kwh"], found["co2e_g"]) == (0.25, 120)


@pytest.mark.parametrize("status", ["queued", "running", "failed", "cancelled"])
def test_a_run_that_has_not_finished_has_no_outcome(status: str) -> None:
    assert set(one_run(CURVES, status=status, target={"metric": "valid_accuracy", "value": 0.5}).values()) == {None}


def test_values_that_are_not_finite_are_left_out() -> None:
    found = one_run({"valid_loss": [0.5, np.inf, 0.7], "valid_accuracy": [0.5, np.nan, 0.6], "train_loss": [1, np.inf]})

    assert found["best_valid_loss"] == 0.5
    assert found["best_valid_accuracy"] == 0.6
    assert found["stability"] is None
    assert found["loss_area"] is None


def test_an_arms_epoch_is_as_long_as_its_batches_make_it() -> None:
    spec = parse({"seeds": [0], "grid": {"batch_size": [100, 32]}})
    results = trained_results(
        spec, task="multiclass", paths=DatasetPaths(), steps_per_epoch=[15], runs=[], series=lambda _metric: []
    )

    assert results.steps_in_epoch("batch_size=100") == 15
    assert results.steps_in_epoch("batch_size=32") == 47  # 15 x 100 examples at most
