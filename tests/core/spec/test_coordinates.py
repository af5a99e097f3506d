"""The coordinate check as a spec: what it makes of the arms, how it is written down, and what it refuses."""

from typing import Any

import pytest

from core.datasets import DatasetPaths
from core.errors import InvalidSpec
from core.spec import check, parse

CHECK: dict[str, Any] = {
    "kind": "coordinate_check",
    "coordinate_check": {"widths": [8, 16], "updates": 3},
    "model": {"name": "mlp", "hidden": [4, 6], "activation": "tanh"},
}


def paths(raw: Any) -> list[str]:
    with pytest.raises(InvalidSpec) as refusal:
        check(parse(raw), DatasetPaths())
    return [problem.path for problem in refusal.value.problems]


def test_its_settings_are_written_out_and_mean_the_same() -> None:
    spec = parse({"kind": "coordinate_check"})
    canonical = spec.canonical()
    assert canonical["coordinate_check"] == {"widths": [64, 128, 256, 512], "updates": 4}
    again = parse(canonical)
    assert again.canonical() == canonical
    assert [(arm.label, arm.treatment) for arm in again.expanded] == [
        (arm.label, arm.treatment) for arm in spec.expanded
    ]
    assert "coordinate_check" not in parse({"kind": "comparison"}).canonical()


def test_every_arm_has_every_width_and_is_looked_at_in_every_update() -> None:
    spec = parse(CHECK | {"arms": [{"initializer": "he_normal"}, {"label": "fast", "optimizer.lr": 0.4}]})
    assert [(arm.label, arm.treatment.model.hidden, arm.treatment.optimizer.lr) for arm in spec.expanded] == [
        ("he_normal, width=8", [8, 8], 0.001),
        ("he_normal, width=16", [16, 16], 0.001),
        ("fast, width=8", [8, 8], 0.4),
        ("fast, width=16", [16, 16], 0.4),
    ]
    assert {arm.treatment.model.activation for arm in spec.expanded} == {"tanh"}
    assert [arm.asked.label for arm in spec.expanded if arm.asked] == ["he_normal", "he_normal", "fast", "fast"]
    assert (spec.updates, spec.diagnose_every) == (4, 1), "the last look is at the beginning of an update more"
    assert [info.steps for info in check(spec, DatasetPaths())] == [4] * 4


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ({"name": "cnn", "channels": [3, 5], "dense": [7]}, {"channels": [8, 8], "dense": [8]}),
        ("lenet5", {"width": 8}),
        ("resnet", {"width": 8}),
        ("transformer", {"d_model": 8, "heads": 4}),
    ],
    ids=str,
)
def test_the_width_is_the_models_own(model: Any, fields: dict[str, Any]) -> None:
    first = parse(CHECK | {"model": model}).expanded[0].treatment.model
    assert fields.items() <= first.parameters().items()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (CHECK | {"coordinate_check": {"widths": [8]}}, ["coordinate_check.widths"]),
        (CHECK | {"coordinate_check": {"widths": [8, 8]}}, ["coordinate_check"]),
        (CHECK | {"coordinate_check": {"updates": 0}}, ["coordinate_check.updates"]),
        (CHECK | {"kind": "comparison"}, ["coordinate_check"]),
        (CHECK | {"schedule": "cosine"}, ["schedule"]),
        (CHECK | {"epochs": 3}, ["epochs"]),
        (CHECK | {"early_stopping": {"metric": "valid_loss", "patience": 3}}, ["early_stopping"]),
        (CHECK | {"diagnostics": {"every": 2}}, ["diagnostics"]),
        (CHECK | {"pruning": {}}, ["pruning"]),
        (CHECK | {"lr_range": {}}, ["lr_range"]),
        (CHECK | {"model": {"name": "mlp", "hidden": []}}, ["model"]),
        (CHECK | {"arms": [{}, {"label": "b", "model": {"name": "mlp", "hidden": []}}]}, ["arms[1].model"]),
        (CHECK | {"model": {"name": "transformer", "heads": 16}}, ["coordinate_check.widths[0]"]),
        (CHECK | {"model": "resnet", "coordinate_check": {"widths": [1, 65]}}, ["coordinate_check.widths[1]"]),
        (CHECK | {"arms": [{"label": "a" * 120}]}, ["arms[0].label"]),
        (CHECK | {"coordinate_check": {"widths": [8, 30_000]}}, ["coordinate_check.widths[1]"]),
    ],
    ids=lambda value: "" if isinstance(value, dict) else str(value),
)
def test_what_it_refuses(raw: dict[str, Any], expected: list[str]) -> None:
    assert paths(raw) == expected
