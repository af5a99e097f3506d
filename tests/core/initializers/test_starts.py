"""Norms that start otherwise, and models that start as their constructors do."""

import math
from typing import Any

import pytest
import torch

from core.datasets import DatasetInfo, DatasetPaths, datasets
from core.errors import InvalidSpec
from core.models import models
from core.spec import check, parse
from core.streams import generator
from core.torchvision import load
from core.training import initial_state, train

CIFAR = DatasetInfo((3, 32, 32), 10, 100, 20)
RESNET = {"name": "torchvision", "model": "resnet18"}


def start(model: Any, initializer: Any, seed: int = 0, info: DatasetInfo = CIFAR) -> dict[str, torch.Tensor]:
    spec = parse({"model": model, "initializer": initializer})
    return initial_state(spec.expanded[0].treatment, info, seed)


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "conv", "std"), [("googlenet", "conv1", 0.01), ("inception_v3", "Conv2d_1a_3x3", 0.1)]
)
def test_the_inceptions_start_is_torchvisions(name: str, conv: str, std: float) -> None:
    """A normal cut at ±2: of a deviation of .01 in GoogLeNet, of .1 in Inception."""
    large = DatasetInfo((3, 96, 96), 10, 100, 20)
    state = start({"name": "torchvision", "model": name}, "torchvision_default", seed=3, info=large)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(generator(3, "initial", "constructor").initial_seed())
        theirs = (
            load()
            .models.get_model(name, weights=None, num_classes=10, aux_logits=False, init_weights=True)
            .state_dict()
        )
    assert list(state) == list(theirs)
    assert all(torch.equal(state[key], value) for key, value in theirs.items())
    assert float(state[f"{conv}.conv.weight"].std()) == pytest.approx(std, rel=0.05)


@pytest.mark.slow
def test_torchvisions_resnet_starts_by_fan_out() -> None:
    weight = start(RESNET, "model_default")["layer4.1.conv2.weight"]
    assert float(weight.std()) == pytest.approx((2 / (512 * 9)) ** 0.5, rel=0.005)  # 2.4 million values


def test_a_whole_models_start_is_no_layers() -> None:
    with pytest.raises(InvalidSpec):
        parse({"initializer": {"name": "per_layer", "layers": {"fc1": "model_default"}}})


@pytest.mark.slow
def test_a_models_start_may_have_other_biases() -> None:
    model = {"name": "torchvision", "model": "regnet_y_400mf"}
    own, last, every = (
        start(model, {"name": "model_default", **given}) for given in ({}, {"output_bias": -2.0}, {"bias": 0.5})
    )
    assert [name for name, value in own.items() if not torch.equal(value, last[name])] == ["fc.bias"]
    assert float(last["fc.bias"].unique()) == -2.0
    changed = [name for name, value in own.items() if not torch.equal(value, every[name])]
    assert all(float(every[name].unique()) == 0.5 for name in changed)
    assert "fc.bias" in changed
    assert not any("weight" in name or ".1.bias" in name for name in changed)  # no weights, and no norms'
    both = start(model, {"name": "model_default", "bias": 0.5, "output_bias": -2.0})
    assert (float(both["fc.bias"].unique()), torch.equal(both[changed[0]], every[changed[0]])) == (-2.0, True)
    vit = {"name": "torchvision", "model": "vit_b_32"}
    attention = start(vit, {"name": "model_default", "bias": 0.5})[
        "encoder.layers.encoder_layer_0.self_attention.in_proj_bias"
    ]
    assert float(attention.unique()) == 0.5


@pytest.mark.parametrize(
    ("info", "targets", "bias"),
    [
        (CIFAR, torch.tensor([0] * 5 + [1] * 3 + [2] * 2), [math.log(n / 10) for n in (5, 3, 2, *[0.5] * 7)]),
        (DatasetInfo((4,), 1, 8, 2, "binary"), torch.tensor([[1.0], [0.0], [0.0], [0.0]]), [math.log(1 / 3)]),
        (DatasetInfo((4,), 1, 8, 2, "binary"), torch.zeros(4, 1), [math.log(0.125 / 0.875)]),
        (DatasetInfo((4,), 2, 8, 2, "regression"), torch.tensor([[1.0, 2.0], [3.0, -4.0]]), [2.0, -1.0]),
    ],
    ids=["classes", "binary", "one class of two", "regression"],
)
def test_the_last_bias_may_be_the_prior(info: DatasetInfo, targets: torch.Tensor, bias: list[float]) -> None:
    model = {"name": "mlp", "hidden": [16]}
    spec = parse({"model": model, "initializer": {"name": "he_normal", "output_bias": "prior"}})
    state = initial_state(spec.expanded[0].treatment, info, 0, torch.float64, targets=lambda: targets)
    plain = parse({"model": model, "initializer": "he_normal"}).expanded[0].treatment
    assert state["fc2.bias"].tolist() == pytest.approx(bias, rel=1e-12)
    assert torch.equal(state["fc1.weight"], initial_state(plain, info, 0, torch.float64)["fc1.weight"])
    assert not state["fc1.bias"].any()
    with pytest.raises(ValueError, match="training targets"):
        initial_state(spec.expanded[0].treatment, info, 0)


@pytest.mark.slow
def test_it_is_the_least_loss_of_a_network_that_sees_nothing() -> None:
    """The entropy of the classes, in lanes and in the library."""
    arms = [{"label": str(bias), "initializer": {"name": "zeros", "output_bias": bias}} for bias in ("prior", None)]
    model = {"name": "mlp", "hidden": []}
    spec = {"model": model, "optimizer": {"name": "sgd", "lr": 1e-9}, "epochs": 1, "seeds": 1, "arms": arms}
    found = train(parse(spec | {"evaluate": {"train": "all"}}), DatasetPaths())
    losses = {run.arm: run.final["train_loss"] for run in found.runs}
    shares = datasets.parse("digits").build().load(DatasetPaths()).y_train.bincount().double() / 1438
    assert next(iter(found.series("train_loss"))).values.mean() == pytest.approx(
        -float((shares * shares.log()).sum()), rel=1e-4
    )
    assert losses["None"] == pytest.approx(math.log(10), rel=1e-4)


def test_the_last_bias_may_be_a_number() -> None:
    state = start({"name": "mlp", "hidden": [16]}, {"name": "he_normal", "bias": 0.5, "output_bias": -4.6})
    assert torch.equal(state["fc1.bias"], torch.full((16,), 0.5))
    assert torch.equal(state["fc2.bias"], torch.full((10,), -4.6))
