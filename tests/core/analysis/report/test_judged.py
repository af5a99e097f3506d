"""The split that a verdict is on."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from core.analysis import build_report, outcome_names
from core.results import Results
from tests.core.analysis.reading import verdict_text

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


def test_a_time_is_of_no_split(experiment: MakeResults) -> None:
    found = build_report(experiment(ARMS), "seconds")
    assert (found["split"], found["examples"]) == (None, None)


def test_arms_on_data_sets_of_different_size_have_no_common_count(experiment: MakeResults) -> None:
    grid = {"arms": [{"label": "a"}, {"label": "b", "dataset.valid_fraction": 0.1}]}
    found = build_report(experiment(ARMS, **grid))
    assert (found["split"], found["examples"]) == ("valid", None)
