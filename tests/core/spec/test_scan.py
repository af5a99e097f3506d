"""The batch-size scan as a spec: what it makes of the arms, how it is written down, and what it refuses."""

import math
from typing import Any

import pytest

from core.datasets import DatasetPaths
from core.errors import InvalidSpec
from core.spec import check, parse

TARGET = {"metric": "valid_accuracy", "value": 0.9}
SCAN: dict[str, Any] = {
    "kind": "batch_size_scan",
    "batch_size_scan": {"sizes": [16, 64], "rule": "linear"},
    "target": TARGET,
    "batch_size": 32,
    "optimizer": {"name": "sgd", "lr": 0.1},
}
BATCH_NORM = {"name": "cnn", "channels": [3], "dense": [6]}


def ruled(rule: str, **given: Any) -> dict[str, Any]:
    return SCAN | {"batch_size_scan": {"sizes": [16, 64], "rule": rule}} | given


def paths(raw: Any) -> list[str]:
    with pytest.raises(InvalidSpec) as refusal:
        check(parse(raw), DatasetPaths())
    return [problem.path for problem in refusal.value.problems]


def test_its_settings_are_written_out_and_mean_the_same() -> None:
    spec = parse(SCAN)
    canonical = spec.canonical()
    assert canonical["batch_size_scan"] == {"sizes": [16, 64], "rule": "linear", "noise_every": 4}
    assert canonical["batch_size"] == 32
    assert "arms" not in canonical
    again = parse(canonical)
    assert again.canonical() == canonical
    assert [(arm.label, arm.treatment) for arm in again.expanded] == [
        (arm.label, arm.treatment) for arm in spec.expanded
    ]


@pytest.mark.parametrize(
    ("rule", "rates"),
    [("linear", [0.05, 0.2]), ("sqrt", [0.1 / math.sqrt(2), 0.1 * math.sqrt(2)]), ("none", [0.1, 0.1])],
)
def test_the_rate_follows_the_rule_from_the_spec_s_own_batch_size(rule: str, rates: list[float]) -> None:
    spec = parse(ruled(rule))
    assert [arm.label for arm in spec.expanded] == ["batch_size=16", "batch_size=64"]
    assert [arm.treatment.batch_size for arm in spec.expanded] == [16, 64]
    assert [arm.treatment.optimizer.lr for arm in spec.expanded] == pytest.approx(rates)


def test_every_arm_has_every_size() -> None:
    spec = parse(SCAN | {"arms": [{"initializer": "he_normal"}, {"label": "fast", "optimizer.lr": 0.4}]})
    assert [(arm.label, arm.treatment.optimizer.lr) for arm in spec.expanded] == [
        ("he_normal, batch_size=16", 0.05),
        ("he_normal, batch_size=64", 0.2),
        ("fast, batch_size=16", 0.2),
        ("fast, batch_size=64", 0.8),
    ]
    assert [arm.asked.label for arm in spec.expanded if arm.asked] == ["he_normal", "he_normal", "fast", "fast"]
    assert [fact.steps_per_epoch for fact in check(spec, DatasetPaths())] == [90, 23, 90, 23]


def test_a_baseline_is_one_of_the_arms_that_are_trained() -> None:
    assert parse(SCAN | {"baseline": "batch_size=64"}).baseline == "batch_size=64"
    assert paths(SCAN | {"baseline": "torch_default"}) == ["baseline"]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({key: value for key, value in SCAN.items() if key != "target"}, ["target"]),
        ({key: value for key, value in SCAN.items() if key != "batch_size_scan"}, ["batch_size_scan"]),
        (SCAN | {"batch_size_scan": {}}, ["batch_size_scan.rule"]),
        (SCAN | {"batch_size_scan": {"rule": "linaer"}}, ["batch_size_scan.rule"]),
        (SCAN | {"batch_size_scan": {"sizes": [8, 8], "rule": "none"}}, ["batch_size_scan"]),
        (SCAN | {"batch_size_scan": {"sizes": [8, 0], "rule": "none"}}, ["batch_size_scan.sizes[1]"]),
        (SCAN | {"batch_size_scan": {"sizes": [8, 2_000_000], "rule": "none"}}, ["batch_size_scan.sizes[1]"]),
        (SCAN | {"batch_size_scan": {"sizes": [8, 2000], "rule": "none"}}, ["batch_size_scan.sizes[1]"]),
        (SCAN | {"arms": [{}, {"label": "b", "batch_size": 4}]}, ["arms[1].batch_size"]),
        (SCAN | {"grid": {"batch_size": [4, 8]}}, ["grid.batch_size"]),
        (SCAN | {"arms": [{"label": "x" * 110}]}, ["arms[0].label"]),
        (SCAN | {"kind": "comparison"}, ["batch_size_scan"]),
        (SCAN | {"model": BATCH_NORM}, ["batch_size_scan.noise_every"]),
        (SCAN | {"class_weights": "balanced"}, ["batch_size_scan.noise_every"]),
        (SCAN | {"mixup": 0.2}, ["batch_size_scan.noise_every"]),
        (SCAN | {"schedule": {"name": "onecycle", "max_lr": 0.5}}, ["schedule"]),
        (SCAN | {"arms": [{}, {"schedule": {"name": "cosine", "eta_min": 0.01}}]}, ["arms[1].schedule"]),
        (SCAN | {"lr_range": {}}, ["lr_range"]),
    ],
    ids=str,
)
def test_what_contradicts_a_scan_is_refused_with_its_path(raw: dict[str, Any], expected: list[str]) -> None:
    assert paths(raw) == expected


@pytest.mark.parametrize(
    "schedule", ["cosine", "rex", {"name": "linear_warmup", "warmup_steps": 5}, "reduce_on_plateau"]
)
def test_a_schedule_that_grows_with_the_rate_follows_a_rule(schedule: Any) -> None:
    assert len(check(parse(SCAN | {"schedule": schedule}), DatasetPaths())) == 2


def test_rates_of_its_own_are_fine_without_a_rule_and_batch_norm_without_the_noise() -> None:
    own = ruled("none", schedule={"name": "cosine", "eta_min": 0.01})
    normed = SCAN | {"model": BATCH_NORM, "batch_size_scan": {"sizes": [16, 64], "rule": "none", "noise_every": 0}}
    assert [len(check(parse(raw), DatasetPaths())) for raw in (own, normed)] == [2, 2]
