"""The margin and the error that a verdict allows: what a spec may say, and what old ones mean."""

import json
from typing import Any

import pytest

from core.datasets import DatasetPaths
from core.errors import InvalidSpec
from core.spec import parse
from core.training.designs import design_of
from tests.core.store.old import SPECS


def test_they_are_written_out_and_reach_the_design() -> None:
    spec = parse({"margin": 0.005, "alpha": 0.01})
    assert (spec.canonical()["margin"], spec.canonical()["alpha"]) == (0.005, 0.01)
    assert parse(spec.canonical()).canonical() == spec.canonical()
    design = design_of(spec, task="multiclass", paths=DatasetPaths())
    assert (design.margin, design.alpha) == (0.005, 0.01)


def test_without_them_nothing_is_equivalent_and_five_percent_may_err() -> None:
    canonical = parse({}).canonical()
    assert "margin" not in canonical
    assert canonical["alpha"] == 0.05


@pytest.mark.parametrize("revision", SPECS)
def test_a_stored_spec_of_every_version_before_means_what_it_did(revision: str) -> None:
    stored = json.loads(json.dumps(SPECS[revision]))
    spec = parse(stored)
    assert (spec.margin, spec.alpha) == (stored.get("margin"), stored.get("alpha", 0.05))


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        ({"margin": 0}, "margin", "greater than 0"),
        ({"margin": -0.1}, "margin", "greater than 0"),
        ({"margin": float("inf")}, "margin", "finite"),
        ({"alpha": 0}, "alpha", "greater than 0"),
        ({"alpha": 0.6}, "alpha", "less than or equal to 0.5"),
        ({"margin": 0.1, "kind": "lr_range_test"}, "margin", "leave it out of a lr_range_test"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_path(given: Any, path: str, words: str) -> None:
    with pytest.raises(InvalidSpec) as refusal:
        parse(given)
    [problem] = refusal.value.problems
    assert problem.path == path
    assert words in problem.message
