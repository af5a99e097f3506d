"""When a spec may have its arms pruned, and where they are compared."""

from typing import Any

import pytest

from core.datasets import DatasetPaths
from core.errors import InvalidSpec
from core.spec import Pruning, check, parse, warnings_of

ARMS = {"arms": [{"initializer": "zeros"}, {"initializer": "ones"}], "epochs": 10}


@pytest.mark.parametrize(
    ("given", "epochs", "rungs"),
    [
        ({}, 10, [3, 6]),
        ({}, 8, [2, 4]),
        ({}, 100, [25, 50]),
        ({}, 2, [1]),
        ({"first": 1}, 10, [1, 2, 4, 8]),
        ({"first": 3}, 30, [3, 6, 12, 24]),
        ({"first": 1, "factor": 3}, 30, [1, 3, 9, 27]),
        ({"first": 5, "factor": 100}, 6, [5]),
    ],
)
def test_arms_are_compared_after_times_as_many_epochs(given: Any, epochs: int, rungs: list[int]) -> None:
    assert Pruning(**given).rungs(epochs) == rungs


def test_it_is_written_out_and_left_out_where_it_is_not_asked_for() -> None:
    spec = parse(ARMS | {"pruning": {"first": 2}})
    assert spec.canonical()["pruning"] == {"first": 2, "factor": 2, "level": 0.05}
    assert parse(spec.canonical()).pruning == spec.pruning
    assert "pruning" not in parse(ARMS).canonical()
    assert (Pruning().judged("multiclass"), Pruning().judged("regression")) == ("valid_accuracy", "valid_loss")


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        ({"seeds": 2}, "pruning", "3 seeds or more, and there are 2"),
        ({"arms": None}, "pruning", "compares arms, and there is one"),
        ({"arms": [{}, {"label": "b", "epochs": 3}]}, "pruning", "the same number of epochs"),
        ({"kind": "lr_range_test", "epochs": 10}, "pruning", "for comparisons"),
        ({"epochs": 1}, "pruning.first", "below the 1 epochs"),
        ({"pruning": {"factor": 1}}, "pruning.factor", "greater than or equal to 2"),
        ({"pruning": {"level": 1}}, "pruning.level", "less than 1"),
        ({"pruning": {"metric": "valid_r2"}}, "pruning.metric", "valid_accuracy"),
    ],
)
def test_what_cannot_be_judged_is_refused_with_its_path(given: Any, path: str, words: str) -> None:
    with pytest.raises(InvalidSpec) as refusal:
        check(parse(ARMS | {"pruning": {}} | given), DatasetPaths())
    [problem] = refusal.value.problems
    assert problem.path == path
    assert words in problem.message


COSINE = [{"initializer": "zeros"}, {"initializer": "zeros", "schedule": "cosine"}]


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        ({"pruning": {"first": 2}}, "pruning.first", "before a quarter of the 10 epochs"),
        ({"arms": COSINE}, "pruning", "schedules differ: one that two looks in a row find worse"),
        ({"arms": COSINE, "epochs": 2}, "pruning", "prunes nothing: schedules differ, which takes two looks"),
        ({"pruning": {"first": 3}}, None, ""),
        ({}, None, ""),
    ],
)
def test_who_may_lose_a_slow_starter_is_warned(given: Any, path: str | None, words: str) -> None:
    spec = parse(ARMS | {"pruning": {}} | given)
    found = [one for one in warnings_of(spec, check(spec, DatasetPaths())) if one.path.startswith("pruning")]
    assert [one.path for one in found] == ([] if path is None else [path])
    assert all(words in one.message for one in found)
