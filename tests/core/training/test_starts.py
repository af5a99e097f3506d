"""Norms that start otherwise, and models that start as their constructors do."""

from typing import Any

import pytest
import torch

from core.datasets import DatasetInfo, DatasetPaths
from core.errors import InvalidSpec
from core.models import models
from core.spec import check, parse
from core.streams import generator
from core.training import initial_state

CIFAR = DatasetInfo((3, 32, 32), 10, 100, 20)
RESNET = {"name": "torchvision", "model": "resnet18"}


def start(model: Any, initializer: Any, seed: int = 0, info: DatasetInfo = CIFAR) -> dict[str, torch.Tensor]:
    spec = parse({"model": model, "initializer": initializer})
    return initial_state(spec.expanded[0].treatment, info, seed)


def test_a_named_norm_starts_as_it_is_told() -> None:
    """tensorpack#420: zero gamma where a residual branch ends."""
    layers = {"layer1.0.bn2": "zeros", "layer1.1.bn2": {"name": "uniform", "low": 0.5, "high": 1.5, "bias": 0.25}}
    plain, told = (
        start(RESNET, one) for one in ("he_normal", {"name": "per_layer", "default": "he_normal", "layers": layers})
    )
    assert not told["layer1.0.bn2.weight"].any()
    assert 0.5 <= float(told["layer1.1.bn2.weight"].min()) < 0.6 < 1.4 < float(told["layer1.1.bn2.weight"].max()) < 1.5
    assert torch.equal(told["layer1.1.bn2.bias"], torch.full((64,), 0.25))
    changed = [name for name, value in plain.items() if not torch.equal(value, told[name])]
    assert changed == ["layer1.0.bn2.weight", "layer1.1.bn2.weight", "layer1.1.bn2.bias"]


def test_one_name_is_that_of_many_layers() -> None:
    """torchvision's own zero_init_residual."""
    zero_gamma = {"name": "per_layer", "layers": {"*.bn2": "zeros", "layer4.1.bn2": "ones"}}
    state = start(RESNET, zero_gamma)
    zeros = [name for name, value in state.items() if name.endswith(".weight") and not value.any()]
    expected = [f"layer{i}.{k}.bn2.weight" for i in (1, 2, 3, 4) for k in (0, 1)]
    assert zeros == expected[:-1]
    check(
        parse({"model": {"name": "cnn"}, "initializer": {"name": "per_layer", "layers": {"*": "zeros"}}}),
        DatasetPaths(),
    )


@pytest.mark.parametrize(
    ("layers", "path", "words"),
    [
        ({"batch_norm1": "he_normal"}, "initializer.layers.batch_norm1", "is of norms, whose gain is a vector"),
        ({"batch_norm1": "orthogonal"}, "initializer.layers.batch_norm1", "is of norms, whose gain is a vector"),
        ({"batch_norm1": {"name": "zeros", "bias": "torch_default"}}, "initializer.layers.batch_norm1", "is of norms"),
        ({"batch_norm*": "zero_init"}, "initializer.layers.batch_norm*", "is of norms"),
        ({"batch_norm9": "zeros"}, "initializer.layers.batch_norm9", "did you mean 'batch_norm"),
        ({"bn*": "zeros"}, "initializer.layers.bn*", "unknown layer"),
    ],
)
def test_what_cannot_start_a_norm_is_refused(layers: Any, path: str, words: str) -> None:
    model = {"name": "mlp", "hidden": [16, 12], "norm": "batch_norm"}
    with pytest.raises(InvalidSpec) as refusal:
        check(parse({"model": model, "initializer": {"name": "per_layer", "layers": layers}}), DatasetPaths())
    ((where, message, _),) = refusal.value.problems
    assert (where, words in message) == (path, True), message


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "regnet_y_400mf"])
def test_a_model_may_start_as_its_constructor_draws_it(name: str) -> None:
    model = {"name": "torchvision", "model": name}
    state = start(model, "torchvision_default", seed=3)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(generator(3, "initial", "constructor").initial_seed())
        own = models.parse(model).build()(CIFAR.inputs, CIFAR.outputs).state_dict()
    assert list(state) == list(own)
    assert all(torch.equal(state[key], value) for key, value in own.items())
    other = start(model, "model_default", seed=4)
    assert any(not torch.equal(state[key], other[key]) for key in state)


def test_torchvisions_resnet_starts_by_fan_out() -> None:
    weight = start(RESNET, "model_default")["layer4.1.conv2.weight"]
    assert float(weight.std()) == pytest.approx((2 / (512 * 9)) ** 0.5, rel=0.005)  # 2.4 million values


def test_a_whole_models_start_is_no_layers() -> None:
    for raw in ({"name": "per_layer", "layers": {"fc1": "model_default"}}, {"name": "model_default", "bias": 0.0}):
        with pytest.raises(InvalidSpec):
            parse({"initializer": raw})
