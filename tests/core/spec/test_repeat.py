"""Whether every run is trained a second time: what a spec may say, and what it counts."""

from typing import Any

import pytest

from core.datasets import DatasetPaths
from core.errors import InvalidSpec
from core.spec import LIMITS, check, described, parse

TWICE: dict[str, Any] = {"repeat": {"rounding": True}}


def test_it_is_written_out_and_left_out_where_it_is_not_asked_for() -> None:
    spec = parse(TWICE)
    assert spec.canonical()["repeat"] == {"rounding": True}
    assert parse(spec.canonical()).repeat == spec.repeat
    assert "repeat" not in parse({}).canonical()
    assert (parse({}).trainings, spec.trainings) == (1, 2)
    assert "Second trainings" in dict(described(spec))
    assert "Second trainings" not in dict(described(parse({})))


ARMS = [{"label": f"{i}"} for i in range(6)]
MANY = {"arms": ARMS, "seeds": LIMITS.seeds, "epochs": 1}


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        ({"repeat": {}}, "repeat.rounding", "required"),
        ({"repeat": {"rounding": False}}, "repeat.rounding", "True"),
        ({"repeat": {"rounding": True, "times": 3}}, "repeat.times", "unknown field"),
        ({"kind": "lr_range_test"}, "repeat", "for comparisons: leave it out of a lr_range_test"),
        ({"kind": "coordinate_check"}, "repeat", "for comparisons: leave it out of a coordinate_check"),
        ({"kind": "batch_size_scan", "batch_size_scan": {"rule": "linear"}, "epochs": 2,
          "target": {"metric": "valid_accuracy", "value": 0.9}}, "repeat", "leave it out of a batch_size_scan"),
        (MANY, "seeds", "6 arms x 1000 seeds, each twice, exceed 10,000 runs"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_its_path(given: Any, path: str, words: str) -> None:
    with pytest.raises(InvalidSpec) as refusal:
        parse(TWICE | given)
    [problem] = refusal.value.problems
    assert problem.path == path
    assert words in problem.message


def test_second_trainings_count_as_updates_and_as_looks() -> None:
    many = {"seeds": 1000, "arms": [{}, {"label": "b"}]}
    long = many | {"epochs": 1 + LIMITS.steps // (2 * 1000 * 15 * 2)}
    check(parse(long), DatasetPaths())
    parse(many)
    with pytest.raises(InvalidSpec, match="updates in all"):
        check(parse(long | TWICE), DatasetPaths())
