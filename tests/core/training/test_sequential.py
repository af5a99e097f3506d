"""A model of the catalogue written down layer by layer: the same start, the same updates, bit for bit."""

from dataclasses import replace
from typing import Any, get_args

import pytest
import torch

from core.models import models
from core.spec import Size, Treatment, size
from core.training import initial_state, signal
from core.training.options import Layout
from tests.core.training.trials import COLOURED, TABLE, assert_same, made, trained


def conv(filters: int, kernel: int, name: str, **rest: Any) -> dict[str, Any]:
    return {"conv2d": {"filters": filters, "kernel": kernel, "name": name, **rest}}


def dense(units: int | str, name: str) -> dict[str, Any]:
    return {"dense": {"units": units, "name": name}}


TWINS: dict[str, tuple[tuple[int, ...], dict[str, Any], list[Any]]] = {
    "cnn": (
        COLOURED,
        {"name": "cnn", "channels": [4, 6], "dense": [8]},
        [
            conv(4, 3, "conv1", padding="same"),
            {"BatchNorm2d": {"name": "batch_norm1"}},
            "relu",
            {"maxpool": 2},
            {"dropout": {"rate": 0.25, "name": "dropout1"}},
            conv(6, 3, "conv2", padding=1),
            {"batch_norm": {"name": "batch_norm2"}},
            "ReLU",
            "MaxPool2d",
            {"Dropout": {"p": 0.25, "name": "dropout2"}},
            "flatten",
            dense(8, "fc1"),
            "relu",
            {"dropout": {"rate": 0.5, "name": "fc_dropout1"}},
            dense("outputs", "fc2"),
        ],
    ),
    "lenet5": (
        COLOURED,
        {"name": "lenet5"},
        [
            conv(6, 5, "conv1", padding=2, activation="tanh"),
            "avgpool",
            conv(16, 5, "conv2", activation="tanh"),
            {"AvgPool2d": {"kernel_size": 2}},
            "flatten",
            dense(120, "fc1"),
            "tanh",
            dense(84, "fc2"),
            "tanh",
            dense("outputs", "fc3"),
        ],
    ),
    "mlp": (
        TABLE,
        {"name": "mlp", "hidden": [7, 6], "norm": "layer_norm", "activation": "prelu"},
        [
            "flatten",
            dense(7, "fc1"),
            {"LayerNorm": {"name": "layer_norm1"}},
            {"prelu": {"name": "prelu1"}},
            dense(6, "fc2"),
            {"layer_norm": {"name": "layer_norm2"}},
            {"PReLU": {"name": "prelu2"}},
            dense(3, "fc3"),
        ],
    ),
}
every_twin = pytest.mark.parametrize("twin", TWINS)


@every_twin
@pytest.mark.parametrize("initializer", ["torch_default", "he_normal_truncated", "lsuv", "model_default"])
def test_it_starts_as_its_twin(twin: str, initializer: str) -> None:
    inputs, model, layers = TWINS[twin]
    data, info = made(inputs, train=20, valid=4)
    states = [
        initial_state(
            Treatment.model_validate({"model": one, "initializer": initializer}),
            info,
            seed=3,
            examples=lambda _seed, count: data.x_train[:count],
        )
        for one in (model, {"name": "sequential", "layers": layers})
    ]
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


@every_twin
@pytest.mark.parametrize("layout", get_args(Layout))
def test_it_trains_as_its_twin(make_lanes: Any, twin: str, layout: Layout) -> None:
    """Both arms of two seeds, with the measurements of every layer."""
    inputs, model, layers = TWINS[twin]
    data, info = made(inputs, train=40, valid=12)
    found = []
    for one in (model, {"name": "sequential", "layers": layers}):
        lanes = make_lanes(
            *({"initializer": name} for name in ("he_normal", "glorot_uniform")),
            seeds=(0, 3),
            model=one,
            batch_size=16,
            epochs=2,
        )
        found.append(trained(lanes, data, info, layout=layout, diagnose_every=2))
    assert_same(*found)


def unmarked(found: Size) -> Size:
    """Return the sizes without what a list of layers does not say: which of its numbers are widths, for muP."""
    layers, norms = (
        {name: replace(layer, growth=None) for name, layer in part.items()} for part in (found.layers, found.norms)
    )
    return found._replace(layers=layers, norms=norms)


@every_twin
def test_it_is_as_large_as_its_twin_and_passes_the_same_signal(twin: str) -> None:
    inputs, *both = TWINS[twin]
    _, info = made(inputs, train=40, valid=12)
    one, other = (models.parse(raw) for raw in (both[0], {"name": "sequential", "layers": both[1]}))
    assert unmarked(size(one, inputs, 3)) == unmarked(size(other, inputs, 3))
    initializer = Treatment().initializer
    assert signal(one, initializer, info, [0], 8) == signal(other, initializer, info, [0], 8)
