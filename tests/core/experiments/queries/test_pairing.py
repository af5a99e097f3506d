"""Which arms of several experiments are compared, and on which seeds."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from core.experiments.queries.pairing import Pairing, Side, pair

DIGITS = {"name": "digits", "valid_fraction": 0.2, "split_seed": 0}
CHURN = {"name": "uploaded", "id": f"churn@{'a' * 64}", "valid_fraction": 0.2, "split_seed": 0}


def side(label: str, seeds: Sequence[int], split: str = "fixed", **dataset: Any) -> Side:
    return Side(label=label, dataset=DIGITS | dataset, split=split, seeds=seeds)


def paired(*sides: Side) -> Pairing:
    found = pair(sides)
    assert isinstance(found, Pairing)
    return found


def test_what_agrees_is_paired_as_trained() -> None:
    found = paired(side("4/he", range(5)), side("6/he", [4, 3, 2, 1, 0]))
    assert (found.paired, found.seeds) == (True, [0, 1, 2, 3, 4])
    assert found.reason == "paired as trained: data set, split and 5 seeds agree"


def test_seeds_that_not_all_have_are_left_out_and_said() -> None:
    found = paired(side("4/he", range(5)), side("6/he", range(20)), side("7/he", range(1, 6)))
    assert (found.paired, found.seeds) == (True, [1, 2, 3, 4])
    assert "4 seeds agree" in found.reason
    assert "1 of 4/he, 16 of 6/he, 1 of 7/he" in found.reason


@pytest.mark.parametrize(("other", "has"), [([7, 8, 9], "no seed"), ([0, 1, 9], "only 2 seeds"), ([4], "only seed 4")])
def test_other_seeds_are_not_paired(other: Sequence[int], has: str) -> None:
    found = paired(side("4/he", range(5)), side("6/he", other))
    assert not found.paired
    assert found.seeds == [0, 1, 2, 3, 4, *(seed for seed in other if seed > 4)]
    assert has in found.reason
    assert "Welch" in found.reason


def test_a_single_seed_that_both_have_is_a_pair() -> None:
    assert paired(side("4/he", [3]), side("6/he", [3])).paired


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (side("6/he", range(5), name="mnist"), ["data set 'mnist'", "4/he of 'digits'"]),
        (side("6/he", range(5), split_seed=1), ["other examples", "split_seed 1 instead of 0"]),
        (side("6/he", range(5), valid_fraction=0.3), ["valid_fraction 0.3 instead of 0.2"]),
        (side("6/he", range(5), test_fraction=0.1), ["test_fraction 0.1 instead of None"]),
        (side("6/he", range(5), split="per_seed"), ["split per_seed instead of fixed"]),
    ],
)
def test_other_examples_are_refused(other: Side, said: list[str]) -> None:
    problems = pair([side("4/he", range(5)), side("5/he", range(5)), other])
    assert isinstance(problems, list)
    assert [one.path for one in problems] == ["arms[2]"]
    assert all(words in problems[0].message for words in said)


def test_what_is_held_at_another_seed_is_refused() -> None:
    """One order of the data in all runs of one, each seed's own in the other: its luck is in the difference."""
    kept = replace(side("6/he", range(5)), held={"order": 0, "dropout": 0})
    problems = pair([side("4/he", range(5)), kept])
    assert isinstance(problems, list)
    kept_there, here = "the data order of seed 0 and the dropout draws of seed 0", "each run's seed"
    assert f"has {kept_there}, and 4/he the data order and the dropout draws of {here}" in problems[0].message
    assert isinstance(pair([kept, replace(kept, held={"order": 1, "dropout": 0})]), list)
    assert paired(kept, kept).paired


def test_seeds_that_differ_are_refused_where_each_has_a_split_of_its_own() -> None:
    """As independent runs they would be judged on examples that nothing relates."""
    problems = pair([side("4/he", range(5), split="per_seed"), side("6/he", [7, 8, 9], split="per_seed")])
    assert isinstance(problems, list)
    assert "no seed in common" in problems[0].message
    assert paired(*(side(label, range(5), split="per_seed") for label in ("4/he", "6/he"))).paired


def test_other_content_under_the_same_name_is_another_data_set() -> None:
    mine = Side(label="1/a", dataset=CHURN, split="fixed", seeds=range(3))
    other = Side(label="2/a", dataset=CHURN | {"id": f"churn@{'b' * 64}"}, split="fixed", seeds=range(3))
    problems = pair([mine, other])
    assert isinstance(problems, list)
    [problem] = problems
    assert f"'churn' (content {'b' * 12})" in problem.message
