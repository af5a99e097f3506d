"""Laws against Keras' own draws (on JAX), its kernels turned from HWIO to OIHW."""

import os
from typing import Any

import numpy as np
import pytest
import torch

from core.initializers import Initializer, Layer, Shape, initializers
from core.streams import generator
from tests.core.initializers.test_laws import same_law

os.environ.setdefault("KERAS_BACKEND", "jax")  # read when Keras is imported
from keras import initializers as keras

PEERS: list[tuple[Any, Any]] = [
    ("Zeros", keras.Zeros()),
    ("Ones", keras.Ones()),
    ({"name": "Constant", "value": -0.3}, keras.Constant(-0.3)),
    ("RandomUniform", keras.RandomUniform(seed=0)),
    ({"name": "RandomUniform", "low": -1.0, "high": 3.0}, keras.RandomUniform(-1.0, 3.0, seed=0)),
    ("RandomNormal", keras.RandomNormal(seed=0)),
    ("truncated_normal", keras.TruncatedNormal(seed=0)),
    ({"name": "truncated_normal", "mean": 1.0, "std": 0.5}, keras.TruncatedNormal(1.0, 0.5, seed=0)),
    ("GlorotUniform", keras.GlorotUniform(seed=0)),
    ("GlorotNormal", keras.GlorotNormal(seed=0)),
    ("HeUniform", keras.HeUniform(seed=0)),
    ("HeNormal", keras.HeNormal(seed=0)),
    ("LecunUniform", keras.LecunUniform(seed=0)),
    ("LecunNormal", keras.LecunNormal(seed=0)),
    ("VarianceScaling", keras.VarianceScaling(seed=0)),
    (
        {"name": "VarianceScaling", "scale": 2.0, "mode": "fan_out", "distribution": "uniform"},
        keras.VarianceScaling(2.0, "fan_out", "uniform", seed=0),
    ),
    (
        {"name": "VarianceScaling", "scale": 0.3, "mode": "fan_avg", "distribution": "untruncated_normal"},
        keras.VarianceScaling(0.3, "fan_avg", "untruncated_normal", seed=0),
    ),
    ("uniform_rule", keras.VarianceScaling(1 / 3, "fan_in", "uniform", seed=0)),
    ("normal_rule", keras.VarianceScaling(1.0, "fan_in", "untruncated_normal", seed=0)),
    ("Orthogonal", keras.Orthogonal(seed=0)),
    ({"name": "Orthogonal", "gain": 0.5}, keras.Orthogonal(0.5, seed=0)),
]
"""An initializer by Keras' name for it, where it has one, and Keras' own."""
SHAPE = (64, 8, 3, 3)
"""One for all: JAX compiles anew for every other."""


def theirs(peer: Any, shape: Shape) -> torch.Tensor:
    """Keras' draw for a weight that torch gives this shape."""
    kernel = (*shape[2:], shape[1], shape[0])
    drawn = np.array(peer(kernel), dtype=np.float64)
    return torch.from_numpy(np.moveaxis(drawn, (-1, -2), (0, 1)).copy())


def ours(raw: Any, shape: Shape) -> torch.Tensor:
    initializer: Initializer = initializers.parse(raw).build()
    return initializer.weight(Layer(shape)).draw(shape, generator(0, "weight")).double()


@pytest.mark.parametrize(("raw", "peer"), PEERS, ids=[str(raw) for raw, _ in PEERS])
def test_the_law_is_that_of_keras(raw: Any, peer: Any) -> None:
    same_law(ours(raw, SHAPE), theirs(peer, SHAPE))


@pytest.mark.parametrize("gain", [1.0, 2.5])
def test_the_identity_is_that_of_keras(gain: float) -> None:
    expected = theirs(keras.Identity(gain), (5, 8))
    assert torch.equal(ours({"name": "Identity", "gain": gain}, (5, 8)), expected)


@pytest.mark.parametrize(
    ("name", "ratio"),
    [("HeNormal", 512**0.5), ("LecunNormal", 512**0.5), ("GlorotNormal", 1.0)],
)
def test_keras_swaps_the_fans_of_a_depthwise_kernel(name: str, ratio: float) -> None:
    kernel = np.array(getattr(keras, name)(seed=0)((3, 3, 512, 1)))  # as Keras' DepthwiseConv2D shapes it
    weight = ours(name, (512, 1, 3, 3))
    assert float(weight.std()) / kernel.std() == pytest.approx(ratio, rel=0.06)
