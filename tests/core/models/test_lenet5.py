"""LeNet-5: the paper's sizes."""

from typing import Any

import pytest
import torch
from torch import nn


@pytest.mark.parametrize("inputs", [(1, 28, 28), (1, 32, 32)], ids=str)
def test_the_sizes_of_the_paper(build_model: Any, inputs: tuple[int, ...]) -> None:
    """C1 to F6 of figure 2. The paper has 60,000 parameters: its C3 leaves connections out, its outputs learn none."""
    model = build_model("lenet5", inputs, 10)
    sizes = []
    for layer in model.children():
        if not isinstance(layer, nn.Tanh):
            layer.register_forward_hook(lambda _l, _i, output: sizes.append(tuple(output.shape[1:])))
    model(torch.zeros(1, *inputs))
    pictures = [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5)]
    assert sizes == [*pictures, (400,), (120,), (84,), (10,)]
    counts = {name: sum(p.numel() for p in layer.parameters()) for name, layer in model.named_children()}
    assert {name: count for name, count in counts.items() if count} == {
        "conv1": 156,
        "conv2": 2416,  # 1,516 in the paper
        "fc1": 48_120,
        "fc2": 10_164,
        "fc3": 850,
    }


def test_activation_and_pool_are_what_is_asked_for(build_model: Any) -> None:
    kinds = [type(layer) for layer in build_model("lenet5", (3, 32, 32), 10).children()]
    assert (kinds.count(nn.Tanh), kinds.count(nn.AvgPool2d)) == (4, 2)
    kinds = [type(layer) for layer in build_model("lenet5", (3, 32, 32), 10, activation="relu", pool="max")]
    assert (kinds.count(nn.ReLU), kinds.count(nn.MaxPool2d)) == (4, 2)


@pytest.mark.parametrize("size", [(12, 12), (12, 50), (13, 31), (31, 31), (32, 33), (64, 48)], ids=str)
def test_it_adapts_to_the_picture(build_model: Any, size: tuple[int, int]) -> None:
    assert build_model("lenet5", (2, *size), 3)(torch.zeros(2, 2, *size)).shape == (2, 3)


@pytest.mark.parametrize("size", [(11, 12), (12, 11), (8, 8), (1, 1)], ids=str)
def test_small_pictures_are_refused(build_model: Any, size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=rf"of {size[0]} x {size[1]} are too small for it; 12 x 12 is enough"):
        build_model("lenet5", (1, *size), 10)
