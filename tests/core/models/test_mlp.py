"""The multi-layer perceptron: sizes, order of layers, and its forward pass by hand."""

import pytest
import torch
from pydantic_core import PydanticCustomError
from torch import nn

from core.models import models


def build(inputs: tuple[int, ...] = (1, 4, 5), outputs: int = 3, **parameters: object) -> nn.Module:
    module = models.parse({"name": "mlp", **parameters}).build()(inputs, outputs)
    assert isinstance(module, nn.Module)
    return module


def test_parameters_are_named_and_sized() -> None:
    shapes = {name: tuple(p.shape) for name, p in build(hidden=[7, 6]).named_parameters()}
    assert shapes == {
        "fc1.weight": (7, 20),
        "fc1.bias": (7,),
        "fc2.weight": (6, 7),
        "fc2.bias": (6,),
        "fc3.weight": (3, 6),
        "fc3.bias": (3,),
    }


def test_without_hidden_layers_it_is_a_linear_model() -> None:
    model = build(hidden=[])
    x = torch.randn(2, 1, 4, 5)
    weight, bias = model.parameters()
    torch.testing.assert_close(model(x), x.view(2, 20) @ weight.T + bias)


@pytest.mark.parametrize(
    ("activation", "function"),
    [("relu", torch.relu), ("tanh", torch.tanh), ("sigmoid", torch.sigmoid), ("linear", torch.clone)],
)
def test_the_forward_pass(activation: str, function: torch.nn.Module) -> None:
    model = build(hidden=[7, 6], activation=activation, dropout=0.5).eval()
    x = torch.randn(2, 1, 4, 5)
    w1, b1, w2, b2, w3, b3 = model.parameters()
    expected = function(function(x.view(2, 20) @ w1.T + b1) @ w2.T + b2) @ w3.T + b3
    torch.testing.assert_close(model(x), expected)


def test_dropout_follows_every_hidden_layer_and_no_other() -> None:
    kinds = [type(layer) for layer in build(hidden=[7, 6], dropout=0.2).children()]
    hidden = [nn.Linear, nn.ReLU, nn.Dropout]
    assert kinds == [nn.Flatten, *hidden, *hidden, nn.Linear]
    assert not any(isinstance(layer, nn.Dropout) for layer in build(dropout=0.0).children())


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
    ],
)
def test_impossible_sizes_are_refused(parameters: dict[str, object], path: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        models.parse({"name": "mlp", **parameters})
    assert [p.path for p in (caught.value.context or {})["problems"]] == [path]
