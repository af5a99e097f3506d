"""The maximal-update parametrization against the mup package's own numbers."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from core.initializers import Initializer, Layer, initializers
from core.spec import layers_of
from core.streams import generator

RECORDED = json.loads(Path(__file__).with_name("mup.json").read_text())
BASE = RECORDED["base_width"]
NETWORKS = pytest.mark.parametrize("peer", RECORDED["networks"], ids=lambda peer: str(peer["hidden"]))


def network(hidden: list[int]) -> nn.Sequential:
    """The recorded one: `fc` layers with a norm behind each hidden one."""
    model = nn.Sequential()
    width = RECORDED["inputs"]
    for i, units in enumerate(hidden, start=1):
        model.add_module(f"fc{i}", nn.Linear(width, units, device="meta"))
        model.add_module(f"norm{i}", nn.LayerNorm(units, device="meta"))
        width = units
    model.add_module(f"fc{len(hidden) + 1}", nn.Linear(width, RECORDED["outputs"], device="meta"))
    return model


def mup(of: Any = "he_normal", base_width: int = BASE, **more: Any) -> Initializer:
    built: Initializer = initializers.parse({"name": "mup", "base_width": base_width, "of": of, **more}).build()
    return built


@NETWORKS
@pytest.mark.parametrize("scheme", ["he_normal", "he_uniform", "glorot_normal", "glorot_uniform", "normal"])
def test_weights_are_drawn_as_by_the_peer(peer: dict[str, Any], scheme: str) -> None:
    layers = layers_of(network(peer["hidden"]))
    stds = {f"{name}.weight": mup(scheme).weight(layer).std for name, layer in layers.items()}
    assert stds == pytest.approx(peer["std"][scheme], rel=1e-12)


@NETWORKS
@pytest.mark.parametrize("steps", ["adam", "sgd"])
def test_rates_and_the_readout_are_scaled_as_by_the_peer(peer: dict[str, Any], steps: Any) -> None:
    model = network(peer["hidden"])
    layers = dict(layers_of(model))
    layers |= {
        name: Layer(tuple(part.get_parameter("weight").shape), name)
        for name, part in model.named_children()
        if "norm" in name
    }
    scalings = {name: mup().scaling(layer, steps) for name, layer in layers.items()}
    rates = {f"{name}.weight": scaling.weight_lr for name, scaling in scalings.items()}
    rates |= {f"{name}.bias": scaling.bias_lr for name, scaling in scalings.items()}
    theirs = peer[steps]
    assert rates == pytest.approx({name: rate for name, (rate, _) in theirs.items()}, rel=1e-12)
    assert {name: 1 / rate for name, rate in rates.items()} == pytest.approx(
        {name: decay for name, (_, decay) in theirs.items()}, rel=1e-12
    )
    readout = list(layers_of(model))[-1]
    assert scalings.pop(readout).forward == pytest.approx(peer["forward"], rel=1e-6)
    assert {scaling.forward for scaling in scalings.values()} == {1.0}


@pytest.mark.parametrize("of", ["he_normal", "glorot_uniform", "lecun_normal", "torch_default", "zeros"])
def test_at_the_base_width_it_is_the_plain_scheme(of: str) -> None:
    plain: Initializer = initializers.parse(of).build()
    for layer in layers_of(network([BASE, BASE])).values():
        for ours, theirs in (
            (mup(of).weight(layer), plain.weight(layer)),
            (mup(of).bias(layer), plain.bias(layer)),
        ):
            assert torch.equal(ours.draw(layer.shape, generator(0)), theirs.draw(layer.shape, generator(0)))
        for steps in ("adam", "sgd"):
            assert mup(of).scaling(layer, steps) == (1.0, 1.0, 1.0)


def test_a_number_shared_by_all_units_does_not_grow() -> None:
    assert mup().scaling(Layer((1,), "prelu1"), "sgd") == (1.0, 1.0, 1.0)


def test_layers_may_have_initializers_of_their_own() -> None:
    inner = {"name": "per_layer", "default": "he_normal", "layers": {"fc3": "zeros"}}
    layers = layers_of(network([128, 128]))
    laws = {name: mup(inner).weight(layer) for name, layer in layers.items()}
    assert laws["fc3"].std == 0
    assert laws["fc2"] == mup().weight(layers["fc2"])
    inner["layers"] = {"fc9": "zeros"}
    (problem,) = mup(inner).check(layers)
    assert (problem.path, problem.known) == ("of.layers.fc9", ("fc3", "fc2", "fc1"))


@pytest.mark.parametrize("of", ["orthogonal", "identity", "ones", "lsuv", {"name": "mup", "base_width": 2}, "uniform"])
def test_only_independent_weights_around_0_can_be_scaled(of: Any) -> None:
    scheme: Any = initializers["mup"]
    with pytest.raises(ValueError, match=r"`of`|of should"):
        scheme(base_width=8, of=of).build()


def test_convolutions_and_residual_branches_are_refused() -> None:
    for layer in (Layer((8, 3, 3, 3)), Layer((8, 8), branches=2)):
        (problem,) = mup().check({"layer": layer})
        assert "dense networks" in problem.message
