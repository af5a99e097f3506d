"""The split that a verdict is on."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from core.analysis import build_report, outcome_names
from core.analysis.statistics.splits import two_way_error
from core.datasets import DatasetPaths
from core.results import Results
from tests.core.analysis.reading import verdict_text
from tests.core.datasets.files import idx_files, write

MakeResults = Callable[..., Results]
ARMS: Mapping[str, list[float]] = {"a": [0.9, 0.91, 0.92], "b": [0.8, 0.82, 0.81]}
TESTED: dict[str, Any] = {"dataset": {"name": "digits", "test_fraction": 0.1}}


@pytest.mark.parametrize(("task", "outcome"), [("multiclass", "test_accuracy"), ("regression", "test_loss")])
def test_it_is_on_the_test_split_where_there_is_one(experiment: MakeResults, task: str, outcome: str) -> None:
    results = experiment(ARMS, metric=outcome, task=task, **TESTED)
    found = build_report(results)
    assert (found["metric"], found["split"], found["examples"]) == (outcome, "test", 180)
    assert [arm["n"] for arm in found["arms"]] == [3, 3]
    assert "Judged once, on 180 examples of the test split" in verdict_text(found)
    assert outcome_names(results)[0] == outcome


def test_validation_can_still_be_asked_for(experiment: MakeResults) -> None:
    found = build_report(experiment(ARMS, **TESTED), "valid_accuracy")
    assert (found["split"], found["examples"]) == ("valid", 359)


def test_without_a_test_split_it_says_that_it_is_on_this_validation_split(experiment: MakeResults) -> None:
    results = experiment(ARMS)
    found = build_report(results)
    assert (found["metric"], found["split"], found["examples"]) == ("valid_accuracy", "valid", 359)
    assert "359 examples of the validation split: on this split." in verdict_text(found)
    assert not any("test" in name.split("_") for name in outcome_names(results))


def test_the_best_of_all_epochs_is_called_optimistic(experiment: MakeResults) -> None:
    found = build_report(experiment(ARMS), "best_valid_accuracy")
    assert found["split"] == "valid"


def test_splits_that_vary_widen_intervals_and_p_by_what_they_share(experiment: MakeResults) -> None:
    """Nadeau & Bengio: 359 examples are held out, and 1,438 or, with a test split, 1,258 trained on."""
    for spec, metric, ratio in (
        ({}, "valid_accuracy", 359 / 1438),
        ({"dataset": {"name": "digits", "test_fraction": 0.1}}, "test_accuracy", 180 / 1258),
    ):
        found = build_report(experiment(ARMS, metric=metric, split="per_seed", **spec))
        fixed = build_report(experiment(ARMS, metric=metric, **spec))
        assert (found["scope"], fixed["scope"]) == ("splits", "split")
        d = np.subtract(ARMS["a"], ARMS["b"])
        t = stats.t(2, loc=d.mean(), scale=d.std(ddof=1) * np.sqrt(1 / 3 + ratio))
        (pair,), (before,) = found["comparisons"], fixed["comparisons"]
        assert (pair["individual"]["ci_low"], pair["individual"]["ci_high"]) == pytest.approx(t.interval(0.95))
        assert pair["p"] == pytest.approx(2 * t.cdf(0))
        for arm, alone in zip(found["arms"], fixed["arms"], strict=True):
            own = np.array(ARMS[arm["label"]])
            wider = stats.t(2, loc=own.mean(), scale=own.std(ddof=1) * np.sqrt(1 / 3 + ratio))
            assert (arm["ci_low"], arm["ci_high"]) == pytest.approx(wider.interval(0.95))
            together = arm["simultaneous"]
            assert together is not None
            assert (together["ci_low"], together["ci_high"]) == pytest.approx(wider.interval(0.975))
            assert arm["mean"] == alone["mean"]
        assert (pair["difference"], pair["effect_size"]) == (before["difference"], before["effect_size"])
        assert "Nadeau" in verdict_text(found)


def test_splits_that_vary_do_not_vary_what_the_files_hold_out(experiment: MakeResults, tmp_path: Path) -> None:
    write(tmp_path / "MNIST" / "raw", idx_files(40))
    mnist = {"name": "mnist", "own_test": True}
    results = experiment(ARMS, metric="test_accuracy", split="per_seed", dataset=mnist, paths=DatasetPaths(tmp_path))
    assert build_report(results)["scope"] == "split"
    assert build_report(results, "valid_accuracy")["scope"] == "splits"


def right_of(accuracies: list[float], seed: int) -> dict[int, NDArray[np.bool_]]:
    """Bits of 20 examples of each run, of which that share is right."""
    random = np.random.default_rng(seed)
    return {i: random.permutation(np.arange(20) < round(20 * share)) for i, share in enumerate(accuracies)}


def test_where_correct_examples_are_stored_it_holds_for_other_examples_too(experiment: MakeResults) -> None:
    arms = {"a": [0.9, 0.95, 0.85], "b": [0.7, 0.8, 0.75]}
    bits = right_of([*arms["a"], *arms["b"]], 3)
    results = replace(experiment(arms), correct=lambda: bits)
    found, before = build_report(results), build_report(experiment(arms))
    d = np.array([bits[seed].astype(int) - bits[3 + seed] for seed in range(3)])
    error, df = two_way_error(d)
    t = stats.t(df, loc=d.mean(), scale=error)
    (pair,), (plain,) = found["comparisons"], before["comparisons"]
    assert (found["scope"], before["scope"]) == ("examples", "split")
    assert (pair["individual"]["ci_low"], pair["individual"]["ci_high"]) == pytest.approx(t.interval(0.95))
    assert pair["p"] == pytest.approx(2 * t.cdf(0))
    assert pair["difference"] == pytest.approx(plain["difference"])
    assert "Owen 2007" in verdict_text(found)
    assert build_report(results, "best_valid_accuracy")["scope"] == "split", "its examples are other epochs'"


def test_a_run_without_stored_examples_leaves_it_on_this_split(experiment: MakeResults) -> None:
    bits = right_of([0.9, 0.95, 0.85, 0.7, 0.8], 3)
    arms = {"a": [0.9, 0.95, 0.85], "b": [0.7, 0.8, 0.75]}
    assert build_report(replace(experiment(arms), correct=lambda: bits))["scope"] == "split"
    lost = {"a": [0.9, 0.95, 0.85], "b": [0.7, 0.8, "diverged"]}
    assert build_report(replace(experiment(lost), correct=lambda: bits))["scope"] == "examples"


def test_a_time_is_of_no_split(experiment: MakeResults) -> None:
    found = build_report(experiment(ARMS), "seconds")
    assert (found["split"], found["examples"]) == (None, None)


def test_arms_on_data_sets_of_different_size_have_no_common_count(experiment: MakeResults) -> None:
    grid = {"arms": [{"label": "a"}, {"label": "b", "dataset.valid_fraction": 0.1}]}
    found = build_report(experiment(ARMS, **grid))
    assert (found["split"], found["examples"]) == ("valid", None)
