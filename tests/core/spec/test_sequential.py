"""Models by their layers in a spec: where problems lie, how arms are called, which layers an initializer may name."""

from typing import Any

import pytest

from core.datasets import DatasetPaths
from core.errors import InvalidSpec
from core.models import models
from core.spec import check, parse, size

LAYERS: list[Any] = [
    {"conv2d": {"filters": 4, "kernel": 3, "activation": "relu"}},
    {"batch_norm": {"name": "norm"}},
    "flatten",
    {"dense": {"units": "outputs", "name": "head"}},
]


def model(*layers: Any) -> dict[str, Any]:
    return {"name": "sequential", "layers": list(layers)}


def problems(raw: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidSpec) as refusal:
        check(parse(raw), DatasetPaths())
    return [(p.path, p.message) for p in refusal.value.problems]


def test_it_is_written_out_and_read_again() -> None:
    spec = parse(
        {"model": model(*LAYERS), "grid": {"model.layers": [LAYERS, ["flatten", {"dense": 10}]], "epochs": [1, 2]}}
    )
    canonical = spec.canonical()
    assert canonical["model"]["layers"][2] == "flatten"
    assert canonical["model"]["layers"][3] == {
        "dense": {"units": "outputs", "bias": True, "activation": "linear", "name": "head"}
    }
    again = parse(canonical)
    assert again.canonical() == canonical
    assert [arm.treatment for arm in again.expanded] == [arm.treatment for arm in spec.expanded]
    assert len(check(spec, DatasetPaths())) == 4


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ({"model": model("relu", {"dense": 10})}, "model.layers[1]"),
        ({"model": model("flatten", {"dense": 11})}, "model.layers[1]"),
        ({"model": model("flatten")}, "model.layers[0]"),
        ({"model": model({"dense": {"units": 3, "bia": True}})}, "model.layers[0].dense.bia"),
        ({"model": model("relu", "rely")}, "model.layers[1]"),
        ({"arms": [{}, {"label": "b", "model": model("flatten", {"dense": 11})}]}, "arms[1].model.layers[1]"),
        ({"arms": [{}, {"label": "b", "model": model("rely")}]}, "arms[1].model.layers[0]"),
        ({"model": model(*LAYERS), "arms": [{"model.layers": ["rely"]}]}, "arms[0].model.layers[0]"),
        ({"model": model(*LAYERS), "grid": {"model.layers": [LAYERS, ["rely"]]}}, "grid.model.layers[1][0]"),
        ({"model": model("flatten", *[{"dense": 65_536}] * 3, {"dense": 10})}, "model"),
    ],
    ids=str,
)
def test_a_problem_names_the_layer(raw: dict[str, Any], path: str) -> None:
    ((found, _),) = problems(raw)
    assert found == path


@pytest.mark.parametrize("name", ["0", "head", "norm", "*", "3", "1"])
def test_layers_are_named_by_index_or_name(name: str) -> None:
    own = {"name": "per_layer", "layers": {name: {"name": "uniform", "low": -1.0}}}
    check(parse({"model": model(*LAYERS), "initializer": own}), DatasetPaths())


@pytest.mark.parametrize("name", ["2", "4", "0-relu"])
def test_other_names_are_not_there(name: str) -> None:
    """Of a layer without weights there is nothing to start."""
    own = {"name": "per_layer", "layers": {name: "zeros"}}
    ((path, message),) = problems({"model": model(*LAYERS), "initializer": own})
    assert path == f"initializer.layers.{name}"
    assert message.startswith(f"unknown layer {name!r}")


def test_no_layer_ends_a_branch() -> None:
    ((path, message),) = problems({"model": model(*LAYERS), "initializer": "depth_scaled"})
    assert path == "initializer"
    assert "residual branches" in message


def test_arms_of_short_models_are_called_by_their_layers() -> None:
    spec = parse({"grid": {"model": ["mlp", model("flatten", {"dense": 30}, "relu", {"dense": "outputs"})]}})
    assert [arm.label for arm in spec.expanded] == [
        "mlp",
        "sequential(layers=[flatten, dense(30), relu, dense(outputs)])",
    ]


def test_arms_of_long_models_are_called_by_what_differs() -> None:
    long: list[Any] = ["flatten", *[{"dense": {"units": 30, "activation": "relu"}}] * 10]
    ends: list[list[Any]] = [[{"dense": 10}], [{"dropout": 0.25}, {"dense": 10}], ["batch_norm", {"dense": 10}]]
    spec = parse({"grid": {"model": [model(*long, *end) for end in ends]}})
    assert [arm.label for arm in spec.expanded] == [
        "... dense(10)])",
        "... dropout(0.25), dense(10)])",
        "... batch_norm, dense(10)])",
    ]
    assert parse(spec.canonical()).expanded == spec.expanded


def test_rows_are_counted_without_a_forward_pass_and_alike_with_one() -> None:
    """5 inputs, 4 units, 3 outputs: products of 2 operations a weight."""
    layers = [{"dense": 4}, "relu", {"dropout": 0.5}, {"dense": 3}]
    one = size(models.parse(model(*layers)), (5,), 3)
    assert (one.parameters, one.dense_flops, one.conv_flops) == (5 * 4 + 4 + 4 * 3 + 3, 2 * (5 * 4 + 4 * 3), 0)
    assert (one.activations, one.calls, one.dropped) == (5 + 4 + 4 + 4 + 3, 4, 4)
    whole = size(models.parse(model({"conv2d": {"filters": 1, "kernel": 1}}, "flatten", *layers)), (1, 5, 1), 3)
    assert (whole.dense_flops, whole.dropped) == (one.dense_flops, one.dropped)
    assert (whole.activations, whole.calls) == (one.activations + 5 + 5, one.calls + 1)
