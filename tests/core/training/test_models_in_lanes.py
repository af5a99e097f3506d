"""Every kind of model, with its norms and dropout on: the lanes against the plain loop."""

from typing import Any, ClassVar

import pytest
import torch
from torch import nn

from core.datasets import DatasetInfo, Splits
from core.models import Model, StochasticDepth
from core.registry import Entry
from core.training import Lane, initial_state
from core.training.lanes.network import network
from tests.core.training.trials import COLOURED, PICTURES, TABLE, assert_near, made, referred, trained

MODELS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "mlp with batch norm": (
        PICTURES,
        {"name": "mlp", "hidden": [12, 10], "activation": "leaky_relu", "dropout": 0.3, "norm": "batch_norm"},
    ),
    "mlp with layer norm": (
        TABLE,
        {"name": "mlp", "hidden": [12, 10], "activation": "prelu", "dropout": 0.3, "norm": "layer_norm"},
    ),
    "cnn": (PICTURES, {"name": "cnn", "channels": [4, 6], "convolutions": 2, "dense": [8], "activation": "elu"}),
    "lenet5": (COLOURED, {"name": "lenet5"}),
    "lenet5 with max-pools": (COLOURED, {"name": "lenet5", "pool": "max", "activation": "selu"}),
    "sequential of pictures": (
        COLOURED,
        {
            "name": "sequential",
            "layers": [
                {"conv2d": {"filters": 4, "kernel": 3, "stride": 2, "padding": "same", "activation": "relu"}},
                {"maxpool": {"kernel_size": 3, "stride": 2, "padding": "same"}},
                "BatchNormalization",
                {"DepthwiseConv2D": {"kernel_size": 2, "depth_multiplier": 2, "padding": "same"}},
                {"group_norm": 2},
                {"SeparableConv2D": {"filters": 6, "kernel_size": 2, "activation": "tanh"}},
                {"dropout2d": 0.3},
                {"avgpool": {"kernel_size": 2, "stride": 1, "padding": 1}},
                {"adaptive_avg_pool": 1},
                "flatten",
                {"dropout": 0.3},
                {"dense": "outputs"},
            ],
        },
    ),
    "sequential with transposed convolutions": (
        COLOURED,
        {
            "name": "sequential",
            "layers": [
                "Input",
                {"Rescaling": {"scale": 2.0, "offset": -1.0}},
                {"conv2d": {"filters": 4, "kernel": 4, "stride": 2, "name": "down"}},
                "ReLU6",
                {"ConvTranspose2d": {"filters": 5, "kernel": 3, "stride": 2, "padding": 1, "output_padding": 1}},
                "tanh",
                {"ZeroPadding2D": [[1, 0], [2, 1]]},
                {"Conv2DTranspose": {"filters": 6, "kernel": 2, "strides": 2, "padding": "same"}},
                "GlobalMaxPooling2D",
                {"dense": "outputs"},
            ],
        },
    ),
    "sequential of rows": (
        TABLE,
        {
            "name": "sequential",
            "layers": [
                {"dense": {"units": 8, "bias": False, "name": "first"}},
                "batch_norm",
                "prelu",
                {"dense": 6},
                {"group_norm": 3},
                "selu",
                {"dense": "outputs"},
            ],
        },
    ),
    "sequential that ends in means": (
        PICTURES,
        {"name": "sequential", "layers": [{"conv2d": {"filters": "outputs", "kernel": 3}}, "global_average_pooling"]},
    ),
    "resnet A": (PICTURES, {"name": "resnet", "depth": 8}),
    "resnet B": (PICTURES, {"name": "resnet", "depth": 8, "shortcut": "B"}),
    "transformer on patches": (PICTURES, {"name": "transformer", "d_model": 8, "heads": 2, "dropout": 0.3}),
    "transformer on columns": (
        TABLE,
        {"name": "transformer", "d_model": 8, "heads": 2, "norm_first": False, "activation": "gelu"},
    ),
}


def assert_lanes_are_the_plain_loop(lanes: list[Any], data: Splits, info: DatasetInfo, updates: int) -> None:
    fast = trained(lanes, data, info, dtype=torch.float64)
    assert all(len(fast.series[lane.run, "train_loss"]) == updates for lane in lanes)
    assert_near(fast, referred(lanes, data, info), 1e-10)


@pytest.mark.parametrize(("inputs", "model"), MODELS.values(), ids=MODELS)
def test_lanes_are_the_plain_loop(make_lanes: Any, inputs: tuple[int, ...], model: dict[str, Any]) -> None:
    data, info = made(inputs, train=54, valid=20)
    lanes = make_lanes(
        {"initializer": "he_normal"},
        {"initializer": "torch_default"},
        seeds=(0, 3),
        model=model,
        optimizer={"name": "sgd", "lr": 0.005, "momentum": 0.9},  # larger ones explode, and rounding with them
        batch_size=16,
        epochs=3,
    )
    assert_lanes_are_the_plain_loop(lanes, data, info, updates=12)


@pytest.mark.thorough
@pytest.mark.parametrize("model", ["resnet18", "efficientnet_b0"])
def test_torchvision_models_train_in_lanes(make_lanes: Any, model: str) -> None:
    """One without dropout; one with dropout, stochastic depth and grouped convolutions."""
    data, info = made((1, 32, 32), train=8, valid=4)
    lanes = make_lanes(
        {"initializer": "torch_default"},
        {"initializer": "glorot_uniform"},
        model={"name": "torchvision", "model": model},
        optimizer={"name": "sgd", "lr": 0.01},
        batch_size=4,
        epochs=1,
    )
    assert_lanes_are_the_plain_loop(lanes, data, info, updates=2)


class Branches(nn.Module):
    """What no small model of the catalogue has: a layer that is called twice, one that drops channels, a buffer."""

    order: torch.Tensor

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.register_buffer("order", torch.arange(64).view(8, 8).flip(0))
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        self.depth = StochasticDepth(0.5)
        self.channels = nn.Dropout2d(0.5)
        self.norm = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.flatten(1)[:, self.order.view(-1)].view(x.shape)
        x = x + self.depth(self.conv1(x))
        x = self.norm(x + self.depth(self.conv2(x)).relu_())
        outputs: torch.Tensor = self.fc(self.channels(x).mean((2, 3)))
        return outputs


def branches() -> Model:
    return lambda _inputs, outputs: Branches(outputs)


class Branched(Entry):
    factory: ClassVar[Any] = staticmethod(branches)
    name: str = "branched"


def test_any_module_trains_in_lanes(make_lanes: Any) -> None:
    data, info = made(PICTURES, train=54, valid=20)
    lanes = [
        Lane(lane.run, lane.treatment.model_copy(update={"model": Branched()}), lane.seed)
        for lane in make_lanes(
            {"initializer": "he_normal"}, {"initializer": "lecun_normal"}, seeds=(0, 3), batch_size=16
        )
    ]
    net = network(lanes[0].treatment, info, initial_state(lanes[0].treatment, info, 0))
    assert {name: (layer.calls, layer.shape) for name, layer in net.dropout.items()} == {
        "depth": (2, (1, 1, 1)),
        "channels": (1, (4, 1, 1)),
    }
    assert_lanes_are_the_plain_loop(lanes, data, info, updates=8)
