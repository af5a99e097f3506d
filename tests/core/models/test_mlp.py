"""The multi-layer perceptron: sizes, order of layers, and its forward pass by hand."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

PICTURE = (1, 4, 5)


def test_parameters_are_named_and_sized(build_model: Any) -> None:
    shapes = {name: tuple(p.shape) for name, p in build_model("mlp", PICTURE, 3, hidden=[7, 6]).named_parameters()}
    assert shapes == {
        "fc1.weight": (7, 20),
        "fc1.bias": (7,),
        "fc2.weight": (6, 7),
        "fc2.bias": (6,),
        "fc3.weight": (3, 6),
        "fc3.bias": (3,),
    }


@pytest.mark.parametrize("inputs", [(20,), PICTURE])
def test_without_hidden_layers_it_is_a_linear_model(build_model: Any, inputs: tuple[int, ...]) -> None:
    model = build_model("mlp", inputs, 3, hidden=[])
    x = torch.randn(2, *inputs)
    weight, bias = model.parameters()
    torch.testing.assert_close(model(x), x.view(2, 20) @ weight.T + bias)


@pytest.mark.parametrize(
    ("activation", "function"),
    [
        ({"activation": "relu"}, functional.relu),
        ({"activation": "leaky_relu"}, lambda x: torch.where(x > 0, x, 0.01 * x)),
        ({"activation": "leaky_relu", "negative_slope": 0.3}, lambda x: torch.where(x > 0, x, 0.3 * x)),
        ({"activation": "elu"}, lambda x: torch.where(x > 0, x, x.exp() - 1)),
        ({"activation": "selu"}, functional.selu),
        ({"activation": "gelu"}, lambda x: x * (1 + torch.erf(x / 2**0.5)) / 2),
        ({"activation": "silu"}, lambda x: x / (1 + torch.exp(-x))),
        ({"activation": "swish"}, lambda x: x / (1 + torch.exp(-x))),
        ({"activation": "mish"}, lambda x: x * torch.tanh(torch.log(1 + torch.exp(x)))),
        ({"activation": "hardswish"}, lambda x: x * (x + 3).clamp(0, 6) / 6),
        ({"activation": "hard_swish"}, lambda x: x * (x + 3).clamp(0, 6) / 6),
        ({"activation": "softplus"}, lambda x: torch.log(1 + torch.exp(x))),
        ({"activation": "tanh"}, torch.tanh),
        ({"activation": "sigmoid"}, torch.sigmoid),
        ({"activation": "linear"}, torch.clone),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "as",
)
def test_the_forward_pass(
    build_model: Any, activation: dict[str, Any], function: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    model = build_model("mlp", PICTURE, 3, hidden=[7, 6], **activation, dropout=0.5).eval()
    x = 3 * torch.randn(2, *PICTURE)
    w1, b1, w2, b2, w3, b3 = model.parameters()
    expected = function(function(x.view(2, 20) @ w1.T + b1) @ w2.T + b2) @ w3.T + b3
    torch.testing.assert_close(model(x), expected)


def test_prelu_learns_one_slope_a_layer(build_model: Any) -> None:
    model = build_model("mlp", PICTURE, 3, hidden=[7], activation="prelu")
    parameters = dict(model.named_parameters())
    slope = parameters["prelu1.weight"]
    assert slope.tolist() == [0.25]
    x = torch.randn(2, *PICTURE)
    before = x.view(2, 20) @ parameters["fc1.weight"].T + parameters["fc1.bias"]
    after = torch.where(before > 0, before, slope * before)
    torch.testing.assert_close(model(x), after @ parameters["fc2.weight"].T + parameters["fc2.bias"])


@pytest.mark.parametrize(("norm", "over"), [("batch_norm", 0), ("layer_norm", 1)])
def test_norms_come_before_the_activation(build_model: Any, norm: str, over: int) -> None:
    model = build_model("mlp", PICTURE, 3, hidden=[7], activation="relu", norm=norm)
    parameters = dict(model.named_parameters())
    x = torch.randn(9, *PICTURE)
    y = x.view(9, 20) @ parameters["fc1.weight"].T + parameters["fc1.bias"]
    y = (y - y.mean(over, keepdim=True)) / (y.var(over, correction=0, keepdim=True) + 1e-5).sqrt()
    expected = y.relu() @ parameters["fc2.weight"].T + parameters["fc2.bias"]
    torch.testing.assert_close(model(x), expected)
    assert {f"{norm}1.weight", f"{norm}1.bias"} <= parameters.keys()


def test_the_order_of_the_layers(build_model: Any) -> None:
    hidden = [nn.Linear, nn.BatchNorm1d, nn.ReLU, nn.Dropout]
    whole = build_model("mlp", PICTURE, 3, hidden=[7, 6], dropout=0.2, norm="batch_norm")
    assert [type(layer) for layer in whole.children()] == [nn.Flatten, *hidden, *hidden, nn.Linear]
    plain = build_model("mlp", PICTURE, 3, hidden=[7, 6])
    assert [type(layer) for layer in plain.children()] == [nn.Flatten, *[nn.Linear, nn.ReLU] * 2, nn.Linear]


@pytest.mark.parametrize(
    ("parameters", "path"),
    [
        ({"hidden": [0]}, "hidden[0]"),
        ({"hidden": [5, 2.5]}, "hidden[1]"),
        ({"hidden": [65_537]}, "hidden[0]"),
        ({"hidden": [1] * 65}, "hidden"),
        ({"hidden": 5}, "hidden"),
        ({"activation": "rely"}, "activation"),
        ({"dropout": 1.0}, "dropout"),
        ({"dropout": -0.1}, "dropout"),
        ({"norm": "batchnorm"}, "norm"),
        ({"activation": "leaky_relu", "negative_slope": -0.1}, "negative_slope"),
    ],
)
def test_impossible_sizes_are_refused(refusals: Any, parameters: dict[str, object], path: str) -> None:
    assert [p.path for p in refusals("mlp", **parameters)] == [path]


@pytest.mark.parametrize("name", ["mlp", "cnn", "lenet5"])
def test_a_slope_that_nothing_uses_is_refused(refusals: Any, name: str) -> None:
    (problem,) = refusals(name, activation="relu", negative_slope=0.1)
    assert problem.message == "negative_slope belongs to leaky_relu; leave it out with relu"
