"""Models by Keras' names against Keras' own, with its weights: `keras.json` is what it computed (record_keras.py)."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.func import functional_call

from core.models import models
from core.models.layers._names import SYNONYMS
from core.models.layers._spelling import parse_layer

RECORDED = json.loads(Path(__file__).with_name("keras.json").read_text(encoding="utf-8"))


def in_float64(values: Any) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("network", RECORDED["networks"])
def test_outputs_gradients_and_statistics_are_those_of_keras(network: str) -> None:
    theirs = RECORDED["networks"][network]
    module = models.parse({"name": "sequential", "layers": theirs["layers"]}).build()(tuple(theirs["inputs"]), 4)
    module.double()
    names = [name for name, _ in module.named_parameters()]
    weights = {name: in_float64(value).requires_grad_() for name, value in zip(names, theirs["weights"], strict=True)}
    x, pull = in_float64(theirs["x"]), in_float64(theirs["pull"])
    outputs = functional_call(module, weights, (x,))
    gradients = torch.autograd.grad((outputs * pull).sum(), list(weights.values()))
    means = [value for name, value in module.named_buffers() if name.endswith("running_mean")]
    assert len(means) == len(theirs["running_mean"]) == (network == "norms")
    for mine, other in zip(
        [outputs, *gradients, *means], [theirs["outputs"], *theirs["gradients"], *theirs["running_mean"]], strict=True
    ):
        torch.testing.assert_close(mine, in_float64(other), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", RECORDED["defaults"])
def test_what_is_not_said_is_as_in_keras(name: str) -> None:
    given, config = (RECORDED["defaults"][name][key] for key in ("given", "config"))
    ours = parse_layer({name: given})
    if name == "BatchNormalization":
        assert ours.layer.parameters()["momentum"] == pytest.approx(1 - config.pop("momentum"))
    said = parse_layer({name: config})  # everything that Keras says of the layer
    inputs = (5,) if name in ("Dense", "LayerNormalization") else (32, 4, 4)
    assert repr(said.layer.build()(inputs, 1)) == repr(ours.layer.build()(inputs, 1))
    assert {SYNONYMS.get(key, key) for key in config} <= type(ours.layer).model_fields.keys()


def test_torchs_batch_norm_is_another() -> None:
    """Momentum is the share of the new there, and of the old in Keras."""
    keras, torchs = ({"momentum": 0.01, "eps": 1e-3}, {"momentum": 0.1, "eps": 1e-5})
    for name in ("BatchNormalization", "batch_normalization", "batchNormalization"):
        assert parse_layer(name).layer.parameters() == {"affine": True, **keras}
        assert parse_layer({name: {"momentum": 0.9}}).layer.parameters()["momentum"] == 0.1
    for name in ("BatchNorm2d", "batchnorm1d", "batch_norm"):
        assert parse_layer(name).layer.parameters() == {"affine": True, **torchs}
        assert parse_layer({name: {"momentum": 0.9}}).layer.parameters()["momentum"] == 0.9
