"""Initializers under the parameters of torch, Keras and Paddle."""

import math
from typing import Any

import pytest
import torch
from pydantic_core import PydanticCustomError

from core.initializers import Layer, initializers

SAME: list[tuple[Any, Any]] = [
    ({"name": "RandomNormal", "stddev": 0.02}, {"name": "keras_random_normal", "std": 0.02}),
    (
        {"name": "RandomUniform", "minval": -0.1, "maxval": 0.1},
        {"name": "keras_random_uniform", "low": -0.1, "high": 0.1},
    ),
    ({"name": "truncated_normal", "stddev": 0.02}, {"name": "truncated_normal", "std": 0.02}),
    ("trunc_normal_tf_", {"name": "truncated_normal", "std": 1.0}),  # timm's
    ({"name": "uniform_", "a": -1.0, "b": 2.0}, {"name": "uniform", "low": -1.0, "high": 2.0}),
    ({"name": "constant_", "val": 0.3}, {"name": "constant", "value": 0.3}),
    ({"name": "normal_", "std": 0.2}, {"name": "normal", "std": 0.2}),
    ("normal_", {"name": "normal", "std": 1.0}),
    ("lecun_normal_", "lecun_normal"),  # timm's
    ({"name": "KaimingNormal", "negative_slope": 0.1}, {"name": "he_normal", "a": 0.1}),
]


@pytest.mark.parametrize(("given", "own"), SAME, ids=str)
def test_other_names_are_known(given: Any, own: Any) -> None:
    assert initializers.parse(given) == initializers.parse(own)


@pytest.mark.parametrize("mode", ["fan_in", "fan_out"])
@pytest.mark.parametrize("nonlinearity", ["linear", "relu", "leaky_relu", "sigmoid", "conv2d"])
def test_a_nonlinearity_has_torchs_gain(nonlinearity: Any, mode: str) -> None:
    given = {"name": "kaiming_normal_", "a": 0.2, "mode": mode, "nonlinearity": nonlinearity}
    law = initializers.parse(given).build().weight(Layer((50, 30)))
    fan = {"fan_in": 30, "fan_out": 50}[mode]
    assert law.std == pytest.approx(torch.nn.init.calculate_gain(nonlinearity, 0.2) / math.sqrt(fan), rel=1e-12)


@pytest.mark.parametrize("nonlinearity", ["tanh", "selu"])
def test_what_is_said_of_other_gains_is_their_square(nonlinearity: Any) -> None:
    ((path, message),) = refused({"name": "kaiming_uniform_", "nonlinearity": nonlinearity})
    assert path == "nonlinearity"
    assert f'"scale": {torch.nn.init.calculate_gain(nonlinearity) ** 2:.4g}' in message


def refused(given: Any) -> list[tuple[str, str]]:
    with pytest.raises(PydanticCustomError) as refusal:
        initializers.parse(given)
    return [(p.path, p.message) for p in (refusal.value.context or {})["problems"]]


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        ({"name": "he_normal", "nonlinearity": "swish"}, "nonlinearity", "should be one of linear"),
        ({"name": "he_normal", "nonlinearity": ["relu"]}, "nonlinearity", "should be one of linear"),
        ("Normal", "name", "give normal with its mean and std"),
        ("Uniform", "name", "give uniform with low and high"),
        ("TruncatedNormal", "name", "truncated_normal, and one cut at ±2 in Paddle, trunc_normal"),
        ({"name": "GlorotUniform", "seed": 3}, "seed", "the spec's seeds"),
        ({"name": "XavierNormal", "fan_in": 3}, "fan_in", "follows from the layer"),
        ({"name": "RandomNormal", "stddev": 0.1, "std": 0.1}, "std", "is the same as stddev"),
        ({"name": "RandomNormal", "stddev": -0.1}, "stddev", "greater than or equal to 0"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_way_out(given: Any, path: str, words: str) -> None:
    ((where, message),) = refused(given)
    assert (where, words in message) == (path, True), message
