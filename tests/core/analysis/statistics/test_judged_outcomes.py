"""Outcomes beside the accuracy: runs without a value, times, budgets, ceilings."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.analysis import build_report
from tests.core.analysis.reading import not_none, sentences, verdict_text

GOOD = [0.971, 0.962, 0.978, 0.969, 0.973]
WORSE = [0.90, 0.89, 0.91, 0.905, 0.896]


def test_runs_that_never_reach_the_target_are_lost_like_diverged_ones(experiment: Any) -> None:
    """Times to a target are known only of runs that reached it: the few fast ones do not make an arm fast."""
    results = experiment({"a": GOOD, "b": WORSE}, target={"metric": "valid_accuracy", "value": 0.95})
    found = build_report(results, "steps_to_target")

    assert [arm["not_finite"] for arm in found["arms"]] == [5, 5]  # these have no curves
    assert not_none(found["arms"][0]["rates"]["reached_target"])["hits"] == 0
    assert any("finished without having reached the target" in w for w in sentences(found))


def test_the_time_of_a_run_that_diverged_is_in_no_mean(experiment: Any) -> None:
    """It did less: an arm would be the faster, the more often it diverges."""
    results = experiment({"a": [0.9, 0.8, "diverged"], "b": [0.9, 0.8, 0.7]})
    timed = [replace(run, seconds=0.1 if run.outcome == "diverged" else 2.0, steps_done=30) for run in results.runs]
    found = build_report(replace(results, runs=timed), "seconds")

    assert [(arm["mean"], arm["p_best"]) for arm in found["arms"]] == [(2, None), (2, None)]
    assert found["runs"][2]["seconds"] == 0.1
    assert found["arms"][0]["outcomes"]["steps_per_second"]["mean"] == 15
    assert verdict_text(found).endswith("so arms are not compared by it.")
    assert (found["comparisons"], found["verdict"]["beats"], found["verdict"]["detectable"]) == ([], [], None)
    assert found["verdict"]["groups"] == [["b", "a"]]
    assert [arm["rank_low"] for arm in found["arms"]] == [None, None]


def test_every_outcome_of_every_arm_is_there(experiment: Any) -> None:
    found = build_report(experiment({"a": GOOD, "b": WORSE}))

    for arm, values in zip(found["arms"], (GOOD, WORSE), strict=True):
        entry = dict(arm)
        assert arm["outcomes"]["valid_accuracy"] == {k: entry[k] for k in arm["outcomes"]["valid_accuracy"]}
        assert arm["outcomes"]["valid_accuracy"]["mean"] == pytest.approx(np.mean(values))
        assert arm["outcomes"]["stability"]["n"] == 0
        assert not_none(arm["rates"]["completed"])["hits"] == 5
    assert sum(not_none(arm["p_best"]) for arm in found["arms"]) == pytest.approx(1)
    assert [run["valid_accuracy"] for run in found["runs"]] == GOOD + WORSE


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"grid": {"epochs": [2, 4]}}, 'a run has 30 ("epochs=2") to 60 ("epochs=4") updates and 2,876'),
        ({"grid": {"batch_size": [100, 50]}}, "updates, of the same 2,876 examples"),
    ],
)
def test_budgets_that_differ_are_said(experiment: Any, spec: dict[str, Any], words: str) -> None:
    finals = {f"{key}={value}": GOOD for key, values in spec["grid"].items() for value in values}
    found = build_report(experiment(finals, **{"epochs": 2, "arms": None} | spec))

    assert any(words in warning for warning in sentences(found)), found["warnings"]


def test_a_ceiling_is_said(experiment: Any) -> None:
    high = [0.995, 0.996, 0.994, 0.997, 0.995]
    found = build_report(experiment({"a": high, "b": [v - 0.001 * i for i, v in enumerate(high)]}))

    assert any(w.startswith('Ceiling: the mean of "a" and "b" is 99.00 % or more') for w in sentences(found))
