"""The maximal-update parametrization against the mup package's own numbers."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from core.initializers import Initializer, Layer, initializers
from core.models import growth, models
from core.spec import layers_of, norms_of
from core.streams import generator

RECORDED = json.loads(Path(__file__).with_name("mup.json").read_text())
BASE = 64
NETWORKS = pytest.mark.parametrize(
    "peer", RECORDED["networks"], ids=lambda peer: " ".join(map(str, peer["model"].values()))
)


def network(*hidden: int) -> dict[str, Any]:
    return {"model": {"name": "mlp", "hidden": list(hidden), "norm": "layer_norm"}, "inputs": [20], "base_width": BASE}


def described(peer: Mapping[str, Any]) -> tuple[Mapping[str, Layer], Mapping[str, Layer]]:
    """The layers of a recorded network, and its norms."""
    model, inputs = models.parse(peer["model"]), tuple(peer["inputs"])
    with torch.device("meta"):
        module: nn.Module = model.build()(inputs, 10)
    grows = growth(model, inputs, 10)
    return layers_of(module, grows), norms_of(module, grows)


def mup(of: Any = "he_normal", base_width: int = BASE, **more: Any) -> Initializer:
    built: Initializer = initializers.parse({"name": "mup", "base_width": base_width, "of": of, **more}).build()
    return built


@NETWORKS
@pytest.mark.parametrize("scheme", ["he_normal", "he_uniform", "glorot_normal", "glorot_uniform", "normal"])
def test_weights_are_drawn_as_by_the_peer(peer: dict[str, Any], scheme: str) -> None:
    layers, _ = described(peer)
    scheme_at = mup(scheme, peer["base_width"])
    stds = {f"{name}.weight": scheme_at.weight(layer).std for name, layer in layers.items()}
    assert stds == pytest.approx(peer["std"][scheme], rel=1e-12)


@NETWORKS
@pytest.mark.parametrize("steps", ["adam", "sgd"])
def test_rates_and_the_readout_are_scaled_as_by_the_peer(peer: dict[str, Any], steps: Any) -> None:
    layers, norms = described(peer)
    scalings = {name: mup(base_width=peer["base_width"]).scaling(layer, steps) for name, layer in layers.items()}
    of_norms = {name: mup(base_width=peer["base_width"]).scaling(layer, steps) for name, layer in norms.items()}
    rates = {f"{name}.weight": scaling.weight_lr for name, scaling in (scalings | of_norms).items()}
    rates |= {f"{name}.bias": scaling.bias_lr for name, scaling in (scalings | of_norms).items()}
    theirs = peer[steps]
    rates = {name: rate for name, rate in rates.items() if name in theirs}  # some layers have no bias
    assert rates == pytest.approx({name: rate for name, (rate, _) in theirs.items()}, rel=1e-12)
    assert {name: 1 / rate for name, rate in rates.items()} == pytest.approx(
        {name: decay for name, (_, decay) in theirs.items()}, rel=1e-12
    )
    readout = list(layers)[-1]
    assert scalings.pop(readout).forward == pytest.approx(peer["forward"], rel=1e-12)
    assert {scaling.forward for scaling in scalings.values()} == {1.0}


def test_an_attentions_logits_are_divided_by_the_size_of_a_head() -> None:
    """Table 8 of the paper: 1 / d where the base network has 1 / sqrt(d), as a factor of the queries."""
    peer = {"model": {"name": "transformer", "d_model": 32, "heads": 4, "layers": 1}, "inputs": [6]}
    layers, _ = described(peer)
    found = {name: mup(base_width=8).scaling(layer, "adam").output for name, layer in layers.items()}
    size_of_head, base = 32 / 4, 8 / 4
    assert found.pop("encoder.0.query") == pytest.approx((base**0.5 / size_of_head) / size_of_head**-0.5)
    assert set(found.values()) == {1.0}


@pytest.mark.parametrize("of", ["he_normal", "glorot_uniform", "lecun_normal", "torch_default", "zeros"])
def test_at_the_base_width_it_is_the_plain_scheme(of: str) -> None:
    plain: Initializer = initializers.parse(of).build()
    for layer in described(network(BASE, BASE))[0].values():
        for ours, theirs in (
            (mup(of).weight(layer), plain.weight(layer)),
            (mup(of).bias(layer), plain.bias(layer)),
        ):
            assert torch.equal(ours.draw(layer.shape, generator(0)), theirs.draw(layer.shape, generator(0)))
        for steps in ("adam", "sgd"):
            assert set(mup(of).scaling(layer, steps)) == {1.0}


def test_a_number_shared_by_all_units_does_not_grow() -> None:
    assert set(mup().scaling(Layer((1,), "prelu1", growth=(0,)), "sgd")) == {1.0}


def test_layers_may_have_initializers_of_their_own() -> None:
    inner = {"name": "per_layer", "default": "he_normal", "layers": {"fc3": "zeros"}}
    layers, _ = described(network(128, 128))
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


def test_a_layer_by_itself_is_one_of_a_dense_network() -> None:
    """As in a preview, which knows no model."""
    for name, layer in described(network(128, 256))[0].items():
        alone = Layer(layer.shape, name, role=layer.role)
        assert mup().weight(alone) == mup().weight(layer)
        assert mup().scaling(alone, "sgd") == mup().scaling(layer, "sgd")


def test_a_model_without_a_width_is_refused() -> None:
    layers, _ = described({"model": {"name": "torchvision", "model": "resnet18"}, "inputs": [3, 32, 32]})
    (problem,) = mup().check(layers)
    assert (problem.path, "models that have a width: mlp, cnn" in problem.message) == ("", True)
    with pytest.raises(ValueError, match="transposed"):
        mup().weight(Layer((8, 8, 3, 3), transposed=True))


def test_a_base_network_that_heads_cannot_share_is_refused() -> None:
    layers, _ = described({"model": {"name": "transformer", "heads": 4}, "inputs": [6]})
    (problem,) = mup(base_width=10).check(layers)
    assert (problem.path, "10 features" in problem.message) == ("base_width", True)
    assert list(mup(base_width=12).check(layers)) == []
