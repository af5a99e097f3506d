"""Sources of randomness in a spec: which go together with what, and what a spec of before means."""

import re
from typing import Any

import pytest

from core.datasets import DatasetPaths
from core.errors import InvalidSpec
from core.spec import check, described, parse


def test_a_spec_without_it_is_as_before() -> None:
    assert "vary" not in parse({}).canonical()
    assert (parse({}).trainings, parse({}).again, parse({"repeat": {"rounding": True}}).again) == (1, [], ["rounding"])


def test_it_has_one_order_and_brings_the_split_that_varies() -> None:
    spec = parse({"vary": ["dropout", "split", "init"], "repeat": {"rounding": True}})
    assert (spec.vary, spec.split) == (["init", "split", "dropout"], "per_seed")
    assert (spec.trainings, spec.again) == (5, ["rounding", "init", "split", "dropout"])
    assert parse(spec.canonical()).canonical() == spec.canonical()
    assert parse({"vary": ["split"], "split": "per_seed"}).canonical() == parse({"vary": ["split"]}).canonical()
    assert parse({"vary": ["init"]}).split == "fixed"
    assert dict(described(spec))["Differs by seed"] == "the initial weights, the split, the dropout draws"


def test_seeds_of_sources_are_the_runs_or_the_first_ones() -> None:
    spec = parse({"vary": ["init", "order"], "seeds": {"from": 3, "to": 6}, "grid": {"batch_size": [8, 9]}})
    assert {spec.sources(seed).split for seed in spec.seed_list} == {0}
    assert spec.sources(4) == (4, 0, 4, 0)
    others = {spec.sources(seed, "init").init for seed in range(6)} | {
        spec.sources(seed, "order").order for seed in range(6)
    }
    assert len(others) == 12
    assert not others & set(range(6))


@pytest.mark.parametrize(
    ("body", "path", "said"),
    [
        ({"vary": ["split"], "split": "fixed"}, "vary", '"split": "fixed" keeps it'),
        ({"vary": ["init"], "split": "per_seed"}, "vary", 'name "split" too'),
        ({"vary": ["init", "init"]}, "vary", "twice"),
        ({"vary": []}, "vary", "should have 1 or more"),
        ({"vary": ["seed"]}, "vary[0]", "'init', 'split', 'order' or 'dropout'"),
        ({"vary": ["init"], "kind": "lr_range_test"}, "vary", "leave it out of a lr_range_test"),
        ({"vary": ["init", "order"], "seeds": 1000, "grid": {"batch_size": [8, 16, 32, 64]}}, "seeds", "each 3 times,"),
    ],
)
def test_what_does_not_go_together_is_refused(body: dict[str, Any], path: str, said: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        parse(body)
    [problem] = refused.value.problems
    assert problem.path == path
    assert re.search(re.escape(said), problem.message)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"vary": ["init", "dropout"]}, "no arm's model drops anything"),
        ({"vary": ["split"], "seeds": {"from": 3, "to": 6}, "arms": [{"label": "a"}, {"label": "b"}]}, "fixed number"),
    ],
)
def test_what_could_tell_nothing_is_refused(body: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        check(parse(body), DatasetPaths())
    [problem] = refused.value.problems
    assert problem.path == "vary"
    assert said in problem.message


def test_every_training_counts_as_updates() -> None:
    dropped = {"model": {"name": "mlp", "dropout": 0.1}, "vary": ["init", "dropout"]}
    steps = check(parse(dropped), DatasetPaths())[0].steps
    longest = 50_000_000 // (steps // 10 * 5 * 3)
    check(parse(dropped | {"epochs": longest}), DatasetPaths())
    with pytest.raises(InvalidSpec, match="updates in all"):
        check(parse(dropped | {"epochs": longest + 1}), DatasetPaths())
