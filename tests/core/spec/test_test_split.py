"""The test split in a spec: nothing but the verdict answers to it, and arms are judged on one kind of split."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.datasets import DatasetPaths
from core.errors import InvalidSpec
from core.spec import check, parse
from tests.core.datasets.uploading import add, npz

TESTED = {"name": "digits", "test_fraction": 0.2}


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"early_stopping": {"metric": "test_loss"}}, "early_stopping.metric"),
        ({"schedule": {"name": "reduce_on_plateau", "metric": "test_loss"}}, "schedule.metric"),
        ({"pruning": {"metric": "test_accuracy"}, "arms": [{}, {"epochs": 10}]}, "pruning.metric"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_no_choice_answers_to_it(given: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidSpec) as refusal:
        parse({"dataset": TESTED} | given)
    (problem,) = refusal.value.problems
    assert (problem.path, "nothing but the verdict sees" in problem.message) == (path, True)


def test_no_target_is_of_it() -> None:
    with pytest.raises(InvalidSpec, match=r"target\.metric"):
        check(parse({"dataset": TESTED, "target": {"metric": "test_accuracy", "value": 0.9}}), DatasetPaths())


def test_arms_are_all_judged_on_a_test_split_or_none_is() -> None:
    arms = [{"label": "a", "dataset.test_fraction": 0.2}, {"label": "b"}]
    with pytest.raises(InvalidSpec) as refusal:
        check(parse({"arms": arms}), DatasetPaths())
    assert "give all of them one" in refusal.value.problems[0].message
    infos = check(parse({"arms": arms, "dataset": TESTED}), DatasetPaths())
    assert [info.data.test for info in infos] == [359, 359]


def test_shares_that_leave_nothing_are_refused_with_their_path() -> None:
    with pytest.raises(InvalidSpec) as refusal:
        parse({"dataset": {"name": "digits", "valid_fraction": 0.6, "test_fraction": 0.5}})
    assert [problem.path for problem in refusal.value.problems] == ["dataset.test_fraction"]


def test_splits_vary_where_asked_for_and_there_is_something_to_split(tmp_path: Path) -> None:
    assert (parse({}).split, parse({"split": "per_seed"}).canonical()["split"]) == ("fixed", "per_seed")
    with pytest.raises(InvalidSpec):
        parse({"split": "fresh"})
    x, y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
    add(tmp_path, npz(x_train=x, y_train=y, x_test=x[:4], y_test=y[:4]), "a.npz")
    paths = DatasetPaths(tmp_path, tmp_path)
    uploaded = {"name": "uploaded", "id": "mine"}
    with pytest.raises(InvalidSpec) as refusal:
        check(parse({"split": "per_seed", "dataset": uploaded}), paths)
    assert [problem.path for problem in refusal.value.problems] == ["split"]
    for given in ({"own_test": True}, {"test_fraction": 0.2}):
        check(parse({"split": "per_seed", "dataset": uploaded | given}), paths)
