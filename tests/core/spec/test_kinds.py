"""Kinds of experiment: what they make of the arms, how they are written down, and what they refuse."""

from typing import Any

import numpy as np
import pytest

from core.datasets import DatasetPaths
from core.errors import InvalidSpec
from core.schedules import bind, rates
from core.spec import LIMITS, check, parse

RANGE: dict[str, Any] = {"kind": "lr_range_test"}


def problems(raw: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidSpec) as refusal:
        check(parse(raw), DatasetPaths())
    return [(problem.path, problem.message) for problem in refusal.value.problems]


def test_a_comparison_says_nothing_of_kinds() -> None:
    plain, named = parse({}).canonical(), parse({"kind": "comparison"}).canonical()
    assert named == plain
    assert not {"kind", "lr_range"} & plain.keys()


def test_a_range_test_has_its_settings_written_out() -> None:
    canonical = parse(RANGE).canonical()
    assert canonical["kind"] == "lr_range_test"
    assert canonical["lr_range"] == {"low": 1e-6, "high": 10.0, "steps": 100, "smoothing": 0.9}
    assert canonical["schedule"]["name"] == "constant"
    assert parse(canonical).canonical() == canonical


@pytest.mark.parametrize("optimizer", ["adam", {"name": "sgd", "lr": 0.3, "momentum": 0.9}])
def test_its_rate_is_an_even_ramp_of_the_logarithm(optimizer: Any) -> None:
    spec = parse(RANGE | {"optimizer": optimizer, "lr_range": {"low": 1e-4, "high": 2, "steps": 41}})
    (arm,) = spec.expanded
    (fact,) = check(spec, DatasetPaths())
    curve = bind(arm.treatment.schedule, arm.treatment.optimizer.lr, fact.steps, fact.steps_per_epoch)
    np.testing.assert_allclose(rates(curve, range(fact.steps)), np.geomspace(1e-4, 2, 41), rtol=1e-12)


def test_its_runs_have_so_many_updates_whatever_their_epochs() -> None:
    spec = parse(RANGE | {"lr_range": {"steps": 41}, "arms": [{}, {"label": "b", "batch_size": 1000}]})
    assert [(fact.steps, fact.steps_per_epoch) for fact in check(spec, DatasetPaths())] == [(41, 15), (41, 2)]


def test_an_arm_is_known_as_it_was_asked_for() -> None:
    spec = parse(RANGE | {"arms": [{"label": "a", "optimizer": "sgd", "optimizer.lr": 0.5}]})
    (arm,) = spec.expanded
    assert arm.asked is not None
    assert (arm.label, arm.asked.treatment.optimizer.lr, arm.treatment.optimizer.name) == ("a", 0.5, "sgd")
    assert spec.canonical()["arms"][0]["optimizer"]["lr"] == 0.5


@pytest.mark.parametrize(
    ("raw", "paths"),
    [
        (RANGE | {"schedule": "cosine"}, ["schedule"]),
        (RANGE | {"epochs": 3, "arms": [{}, {"label": "b", "schedule": "rex"}]}, ["epochs", "arms[1].schedule"]),
        (RANGE | {"grid": {"schedule": ["constant", "rex"], "epochs": [1]}}, ["grid.epochs", "grid.schedule"]),
        (RANGE | {"lr_range": {"low": 1, "high": 1}}, ["lr_range"]),
        (RANGE | {"lr_range": {"low": 1e-6, "high": 1e7}}, ["lr_range"]),
        (RANGE | {"lr_range": {"low": 0.0, "steps": 5}}, ["lr_range.low", "lr_range.steps"]),
        (RANGE | {"lr_range": {"smoothing": 0.98}}, ["lr_range"]),
        (RANGE | {"lr_range": {"stpes": 50}}, ["lr_range.stpes"]),
        ({"lr_range": {}}, ["lr_range"]),
        ({"kind": "comparison", "lr_range": {}}, ["lr_range"]),
        ({"kind": "lr_range"}, ["kind"]),
        (RANGE | {"lr_range": {"steps": 100_000}, "seeds": LIMITS.seeds}, ["lr_range.steps"]),
    ],
    ids=str,
)
def test_what_contradicts_a_kind_is_refused_with_its_path(raw: dict[str, Any], paths: list[str]) -> None:
    assert [path for path, _ in problems(raw)] == paths


def test_a_schedule_of_the_default_s_name_is_no_contradiction() -> None:
    assert parse(RANGE | {"schedule": "constant", "arms": [{"schedule": "constant"}]}).kind == "lr_range_test"


def test_a_refusal_says_what_to_do() -> None:
    assert problems(RANGE | {"schedule": "cosine"}) == [
        ("schedule", "leave it out of an lr_range_test: the rate is the ramp's")
    ]
