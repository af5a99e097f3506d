"""Curves whose convergence is known: 1 - e^(-t / tau) is within 5 % of its plateau after tau ln 20 epochs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.analysis import build_report, run_outcomes
from core.datasets import DatasetPaths
from core.results import Results, RunResult, Series
from core.spec import parse
from core.training import train
from core.training.designs import trained_results
from tests.core.analysis.outcomes.test_outcomes import one_run

CHANCE = 0.1  # of the ten digits


def epochs_of(scores: Sequence[float] | NDArray[np.float64], **more: Any) -> float | None:
    metric = "valid_r2" if more.get("task") == "regression" else "valid_accuracy"
    return one_run({metric: list(scores)}, epochs=len(scores), **more)["epochs_to_converge"]


def approach(tau: float, epochs: int, noise: float = 0.0, seed: int = 0, plateau: float = 0.9) -> NDArray[np.float64]:
    t = np.arange(1, epochs + 1)
    exact = plateau - (plateau - CHANCE) * np.exp(-t / tau)
    return np.asarray(exact + noise * np.random.default_rng(seed).standard_normal(epochs))


@pytest.mark.parametrize("epochs", [42, 60, 120])
@pytest.mark.parametrize("tau", [0.3, 1.0, 2.0, 4.0, 5.0])
def test_an_exponential_approach_takes_three_time_constants(tau: float, epochs: int) -> None:
    found = epochs_of(approach(tau, epochs))
    assert found == pytest.approx(np.ceil(tau * np.log(20)), abs=1)


@pytest.mark.parametrize("tau", [2.0, 4.0])
def test_noise_does_not_move_it_and_neither_does_the_length(tau: float) -> None:
    """The last epoch that is a standard error or more from the best, as it was once found, is anywhere in the run."""
    expected = tau * np.log(20)
    for epochs in (42, 84):
        found = np.array([epochs_of(approach(tau, epochs, 0.01, seed)) for seed in range(40)], dtype=np.float64)
        assert np.median(found) == pytest.approx(expected, abs=1.1)
        assert np.abs(found - expected).max() < 1.5 + tau / 2


@pytest.mark.parametrize("seed", range(10))
def test_a_run_that_learns_nothing_has_not_converged(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, (CHANCE * (1 - CHANCE) / 359) ** 0.5, 42)
    assert epochs_of(CHANCE + noise) is None
    assert epochs_of([CHANCE] * 42) is None


@pytest.mark.parametrize(
    "scores",
    [
        np.linspace(0.1, 0.9, 40),
        approach(10.0, 30),
        [*np.linspace(0.1, 0.95, 20), *np.linspace(0.95, 0.6, 20)],
        [0.1, 0.9, 0.9],
        [0.1, 0.9, 0.9, np.nan, 0.9],
    ],
    ids=["still rising", "three time constants", "had been better", "three epochs", "not finite"],
)
def test_a_run_without_a_plateau_has_not_converged(scores: Sequence[float]) -> None:
    assert epochs_of(scores) is None


def test_what_is_there_after_one_epoch_took_one() -> None:
    assert epochs_of([0.9] * 8) == 1
    assert epochs_of([0.5] + [0.9] * 7) == 2


def test_a_single_epoch_far_off_changes_nothing() -> None:
    scores = approach(2.0, 40)
    scores[[1, 20]] = 0.99, 0.2
    assert epochs_of(scores) == epochs_of(approach(2.0, 40))


def test_r2_begins_at_0_and_may_come_from_below() -> None:
    regression: Any = {"task": "regression", "dataset": "diabetes"}
    t = np.arange(1, 41)
    assert epochs_of(0.5 - 3 * np.exp(-t / 2), **regression) == np.ceil(2 * np.log(3 / 0.025))
    assert epochs_of(np.full(40, 0.005), **regression) is None
    assert epochs_of(np.full(40, -0.5), **regression) is None


def test_s8_an_arm_that_is_stuck_is_censored_and_not_fast() -> None:
    """At chance from the first epoch on: it comes to no plateau, and the worst rank, not to one epoch."""
    spec = parse({"arms": [{"label": "stuck"}, {"label": "slow"}], "seeds": 6, "epochs": 42})
    runs, series = list[RunResult](), list[Series]()
    for arm in spec.expanded:
        for seed in spec.seed_list:
            noise = np.random.default_rng(seed).normal(0, 0.01, 42)
            values = CHANCE + noise if arm.label == "stuck" else approach(3.0 + seed / 10, 42, 0.005, seed)
            runs.append(RunResult(len(runs), arm.label, seed, "succeeded", "completed", {}))
            series.append(Series(runs[-1].id, arm.label, seed, "valid_accuracy", np.arange(42), values))
    results = trained_results(
        spec,
        task="multiclass",
        paths=DatasetPaths(),
        steps_per_epoch=[15],
        runs=runs,
        series=lambda metric: series if metric == "valid_accuracy" else [],
    )
    found = build_report(results, "epochs_to_converge")
    stuck, slow = found["arms"]
    assert (stuck["n"], stuck["mean"], stuck["lost"], stuck["p_best"]) == (0, None, 6, None)
    assert (slow["n"], slow["lost"], found["reference"]) == (6, 0, "slow")
    (one,) = found["comparisons"]
    assert (one["a"], one["b"], one["decision"]) == ("slow", "stuck", "better")


def test_zeros_have_not_converged_where_others_have() -> None:
    spec = {"arms": [{"initializer": "he_normal"}, {"initializer": "zeros"}], "seeds": 2, "epochs": 16}
    rate = {"optimizer": {"name": "sgd", "lr": 0.3}, "model": {"name": "mlp", "hidden": [16]}}
    results: Results = train(parse(spec | rate), DatasetPaths())
    found = {run.id: run_outcomes(results)[run.id]["epochs_to_converge"] for run in results.runs}
    he, zeros = ([found[run.id] for run in results.runs if run.arm == arm.label] for arm in results.design.arms)
    assert zeros == [None, None]
    assert all(epochs is not None and 1 <= epochs <= 6 for epochs in he)
