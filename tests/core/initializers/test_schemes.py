"""Initializers that look at which layer it is: per_layer and depth_scaled."""

from typing import Any

import pytest
import torch

from core.initializers import Initializer, Layer, initializers
from core.streams import generator

MODEL = {name: Layer((6, 6), name) for name in ("fc1", "fc2", "fc3")}
RESIDUAL = {
    "stem": Layer((6, 6), "stem", branches=4),
    "out": Layer((6, 6), "out", ends_branch=True, branches=4),
}


def build(raw: Any) -> Initializer:
    built: Initializer = initializers.parse(raw).build()
    return built


def test_named_layers_have_their_own_initializer_and_the_others_the_default() -> None:
    given = {"name": "per_layer", "default": "he_normal", "layers": {"fc3": "zeros", "fc2": "torch_default"}}
    mixed = build(given)
    for name, alone in (("fc1", "he_normal"), ("fc2", "torch_default"), ("fc3", "zeros")):
        assert mixed.weight(MODEL[name]) == build(alone).weight(MODEL[name])
        assert mixed.bias(MODEL[name]) == build(alone).bias(MODEL[name])
    biased = build({**given, "bias": 0.5})
    assert [biased.bias(layer).draw((2,), generator(0)).tolist() for layer in MODEL.values()] == [[0.5, 0.5]] * 3
    assert list(mixed.check(MODEL)) == []


def test_a_layer_that_the_model_does_not_have_is_refused_with_those_it_has() -> None:
    wrong = build({"name": "per_layer", "layers": {"fc2": "zeros", "fc4": "zeros", "head": "ones"}})
    near, far = wrong.check(MODEL)
    assert (near.path, near.known) == ("layers.fc4", ("fc3", "fc2", "fc1"))
    assert "did you mean" in near.message
    assert (far.path, far.known) == ("layers.head", ("fc1", "fc2", "fc3"))


@pytest.mark.parametrize("whole", ["lsuv", {"name": "mup", "base_width": 8}])
@pytest.mark.parametrize("place", ["default", "layers"])
def test_a_scheme_for_the_whole_model_is_refused_inside(whole: Any, place: str) -> None:
    nested = {"default": whole} if place == "default" else {"layers": {"fc1": whole}}
    with pytest.raises(ValueError, match=f"{place}.* is for a whole model"):
        initializers["per_layer"](**{"layers": {"fc1": "zeros"}} | nested).build()


def test_per_layer_is_refused_inside_per_layer() -> None:
    inner = {"name": "per_layer", "layers": {"fc1": "zeros"}}
    per_layer: Any = initializers["per_layer"]
    with pytest.raises(ValueError, match="default should draw one layer's weights"):
        per_layer(layers={"fc2": "ones"}, default=inner).build()


def test_what_a_nested_initializer_finds_wrong_has_its_path() -> None:
    nested = {"name": "depth_scaled", "n_layer": 2}
    mixed = build({"name": "per_layer", "default": nested, "layers": {"fc1": nested, "fc2": "zeros"}})
    assert [problem.path for problem in mixed.check(MODEL)] == ["layers.fc1.n_layer", "default.n_layer"]


def test_a_dotted_layers_name_is_one_name() -> None:
    model = {"layer1.0.conv1": Layer((2, 2, 3, 3), "layer1.0.conv1")}
    mixed = build({"name": "per_layer", "layers": {"layer1.0.conv1": "zeros"}})
    assert list(mixed.check(model)) == []
    assert torch.equal(mixed.weight(model["layer1.0.conv1"]).draw((2, 2, 3, 3), generator(0)), torch.zeros(2, 2, 3, 3))


@pytest.mark.parametrize(
    ("parameters", "scale"),
    [({}, 0.02 / 2), ({"std": 0.1}, 0.1 / 2), ({"n_layer": 8}, 0.02 / 4), ({"n_layer": 1, "std": 1.0}, 2**-0.5)],
)
def test_the_ends_of_residual_branches_shrink_with_their_number(parameters: dict[str, Any], scale: float) -> None:
    scheme = build({"name": "depth_scaled", **parameters})
    assert scheme.weight(RESIDUAL["out"]).std == pytest.approx(scale, rel=1e-14)
    assert scheme.weight(RESIDUAL["stem"]).std == parameters.get("std", 0.02)
    assert list(scheme.check(RESIDUAL)) == []


def test_it_is_for_models_with_residual_branches() -> None:
    (problem,) = build({"name": "depth_scaled", "n_layer": 3}).check(MODEL)
    assert problem.path == "n_layer"
    (problem,) = build("depth_scaled").check(MODEL)
    assert problem.path == ""
