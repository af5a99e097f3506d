"""The CIFAR-10 network: its layers in order, its sizes by hand, its refusals."""

from typing import Any

import pytest
import torch
from torch import nn


def test_the_order_and_the_names_of_the_layers(build_model: Any) -> None:
    model = build_model("cnn", (3, 12, 9), 10, channels=[4, 6], convolutions=2, dense=[8], activation="elu")
    assert " ".join(name for name, _ in model.named_children()) == (
        "conv1 batch_norm1 elu1 conv2 batch_norm2 elu2 pool1 dropout1 "
        "conv3 batch_norm3 elu3 conv4 batch_norm4 elu4 pool2 dropout2 "
        "flatten fc1 fc_elu1 fc_dropout1 fc2"
    )
    kinds = [nn.Conv2d, nn.BatchNorm2d, nn.ELU] * 2 + [nn.MaxPool2d, nn.Dropout]
    assert [type(layer) for layer in model.children()] == [
        *kinds * 2,
        *(nn.Flatten, nn.Linear, nn.ELU, nn.Dropout, nn.Linear),
    ]
    assert (model.dropout1.p, model.fc_dropout1.p) == (0.25, 0.5)


def test_keras_cifar10_network_has_its_parameters(build_model: Any) -> None:
    """Keras' cifar10_cnn with every convolution padded: 2,168,362 by hand."""
    model = build_model("cnn", (3, 32, 32), 10, channels=[32, 64], convolutions=2, dense=[512], batch_norm=False)
    convolutions = (27 * 32 + 32) + (288 * 32 + 32) + (288 * 64 + 64) + (576 * 64 + 64)
    dense = (8 * 8 * 64 * 512 + 512) + (512 * 10 + 10)
    assert sum(p.numel() for p in model.parameters()) == convolutions + dense == 2_168_362


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_convolutions_keep_the_size_and_pools_halve_it(build_model: Any, kernel_size: int) -> None:
    model = build_model("cnn", (1, 13, 8), 3, channels=[2, 3], kernel_size=kernel_size, dense=[])
    sizes = {}
    for name, layer in model.named_children():
        layer.register_forward_hook(lambda _l, _i, output, name=name: sizes.update({name: tuple(output.shape[1:])}))
    model(torch.randn(2, 1, 13, 8))
    assert (sizes["conv1"], sizes["pool1"], sizes["conv2"]) == ((2, 13, 8), (2, 6, 4), (3, 6, 4))
    assert (sizes["pool2"], sizes["flatten"], sizes["fc1"]) == ((3, 3, 2), (18,), (3,))


def test_what_is_not_asked_for_is_not_there(build_model: Any) -> None:
    model = build_model("cnn", (1, 8, 8), 3, dropout=0.0, dense_dropout=0.0, batch_norm=False)
    assert not any(isinstance(layer, nn.Dropout | nn.BatchNorm2d) for layer in model.children())


@pytest.mark.parametrize(("side", "fit"), [(7, 2), (8, 3), (15, 3), (16, 4)])
def test_pools_that_do_not_fit_are_refused(build_model: Any, side: int, fit: int) -> None:
    channels = [2] * fit
    assert build_model("cnn", (1, side, 40), 3, channels=channels)(torch.randn(2, 1, side, 40)).shape == (2, 3)
    with pytest.raises(ValueError, match=f"ask for {fit + 1} max-pools, and {fit} fit pictures of {side} x 40"):
        build_model("cnn", (1, side, 40), 3, channels=[*channels, 2])


def test_tables_are_refused(build_model: Any) -> None:
    for name in ("cnn", "lenet5", "resnet"):
        with pytest.raises(ValueError, match=r"takes pictures, .* shape \(30,\)"):
            build_model(name, (30,), 2)


def test_even_kernels_are_refused(refusals: Any) -> None:
    (problem,) = refusals("cnn", kernel_size=4)
    assert "kernel_size 4 should be odd" in problem.message
