"""Learning rates by layer: the factors of real models, beside timm's, and names that are none."""

from typing import Any

import pytest
from torch import nn

from core.datasets import DatasetPaths
from core.errors import InvalidSpec
from core.models import models
from core.spec import check, described, parse, rate_factors
from core.torchvision import load


def built(name: str, inputs: tuple[int, ...] = (1, 8, 8), **parameters: Any) -> nn.Module:
    module: nn.Module = models.parse({"name": name, **parameters}).build()(inputs, 10)
    return module


def timms(name: str, decay: float, **given: Any) -> dict[str, float]:
    """The factors of one of timm's models by `param_groups_layer_decay`."""
    load()  # which timm imports
    import timm  # noqa: PLC0415
    from timm.optim._param_groups import param_groups_layer_decay  # noqa: PLC0415

    model = timm.create_model(name, num_classes=10, **given)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    groups = param_groups_layer_decay(model, layer_decay=decay)
    return {names[id(parameter)]: group["lr_scale"] for group in groups for parameter in group["params"]}


def test_a_residual_network_has_timms_rates() -> None:
    ours = rate_factors(load().models.resnet18(num_classes=10), 0.7, None)
    assert ours == pytest.approx(timms("resnet18", 0.7), rel=1e-12)


def test_a_vision_transformer_has_timms_rates() -> None:
    """Under other names: embeddings, the parts of each block, the last norm and the head."""
    shape = {"image_size": 32, "patch_size": 16, "num_heads": 2, "hidden_dim": 8, "mlp_dim": 16}
    ours = rate_factors(load().models.VisionTransformer(num_layers=3, num_classes=10, **shape), 0.7, None)
    theirs = timms("vit_tiny_patch16_224", 0.7, depth=3)
    assert list(dict.fromkeys(ours.values())) == pytest.approx(sorted(set(theirs.values())), rel=1e-12)
    for mine, other in (
        ("class_token", "cls_token"), ("encoder.pos_embedding", "pos_embed"),
        ("conv_proj.weight", "patch_embed.proj.weight"),
        ("encoder.layers.encoder_layer_0.self_attention.in_proj_weight", "blocks.0.attn.qkv.weight"),
        ("encoder.layers.encoder_layer_2.mlp.3.weight", "blocks.2.mlp.fc2.weight"),
        ("encoder.ln.weight", "norm.weight"), ("heads.head.bias", "head.bias"),
    ):  # fmt: skip
        assert ours[mine] == pytest.approx(theirs[other], rel=1e-12)


@pytest.mark.parametrize(
    ("model", "layers"),
    [
        (built("mlp", hidden=[8, 8], norm="batch_norm"), [("fc1", "batch_norm1"), ("fc2", "batch_norm2"), ("fc3",)]),
        (built("cnn", channels=[4, 4], dense=[]), [("conv1", "batch_norm1"), ("conv2", "batch_norm2"), ("fc1",)]),
        (
            built("transformer", d_model=8, heads=2, layers=2),
            [("embed",), ("encoder.0",), ("encoder.1", "encoder.norm"), ("head",)],
        ),
        (
            built("resnet", depth=8),
            [("conv1", "bn1"), ("stage1.0",), ("stage2.0",), ("stage3.0",), ("fc",)],
        ),
    ],
    ids=["mlp", "cnn", "transformer", "resnet"],
)
def test_layers_are_counted_from_the_last(model: nn.Module, layers: list[tuple[str, ...]]) -> None:
    expected = {
        name: 0.5 ** (len(layers) - 1 - depth)
        for name, _ in model.named_parameters()
        for depth, parts in enumerate(layers)
        if name.startswith(tuple(f"{part}." for part in parts))
    }
    assert rate_factors(model, 0.5, None) == expected
    assert len(expected) == len(list(model.parameters()))


def test_a_whole_name_goes_before_patterns_and_the_first_of_those_before_the_others() -> None:
    model = built("mlp", hidden=[8], norm="batch_norm")
    named = {"fc*": 2.0, "*.bias": 3.0, "fc2": 5.0, "fc2.bias": 7.0}
    assert rate_factors(model, None, named) == {
        "fc1.weight": 2.0, "fc1.bias": 2.0, "batch_norm1.weight": 1.0, "batch_norm1.bias": 3.0,
        "fc2.weight": 5.0, "fc2.bias": 7.0,
    }  # fmt: skip
    assert rate_factors(model, 0.5, {"fc1": 0.1})["fc1.weight"] == 0.5 * 0.1


MLP = {"model": {"name": "mlp", "hidden": [8]}}


@pytest.mark.parametrize(
    ("given", "path", "message"),
    [
        ({"fc3": 0.1}, "lr_per_layer.fc3", "unknown layer or parameter 'fc3'; did you mean 'fc2'"),
        (
            {"fc1": 0.1, "conv*": 0.1},
            "lr_per_layer.conv*",
            "unknown layer or parameter 'conv\\*'; known: fc1, fc1.bias",
        ),
        ({"fc1.wieght": 0.1}, "lr_per_layer.fc1.wieght", "did you mean 'fc1.weight'"),
        ({"*": 0.0}, "lr_per_layer", "freezes every parameter"),
    ],
)
def test_names_that_are_none_are_refused(given: dict[str, float], path: str, message: str) -> None:
    with pytest.raises(InvalidSpec, match=message) as refused:
        check(parse({**MLP, "lr_per_layer": given}), DatasetPaths())
    assert [problem.path for problem in refused.value.problems] == [path]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"lr_per_layer": {}}, "lr_per_layer"),
        ({"lr_per_layer": {"fc1": -0.1}}, "lr_per_layer.fc1"),
        ({"layer_lr_decay": 0.0}, "layer_lr_decay"),
        ({"layer_lr_decay": 1.1}, "layer_lr_decay"),
        ({"sam": {"rho": 0.0}}, "sam.rho"),
        ({"sam": {"radius": 0.1}}, "sam.radius"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(given: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        parse(given)
    assert [problem.path for problem in refused.value.problems] == [path]


def test_arms_are_named_by_their_rates() -> None:
    arms = [{"lr_per_layer": {"fc1": 0.1}}, {"layer_lr_decay": 0.75}, {"sam": {"rho": 0.1}}, {"sam": {}}]
    labels = [arm.label for arm in parse({"arms": arms}).expanded]
    assert labels == ["{fc1: 0.1}", "0.75", "rho 0.1", "default"]


def test_a_report_has_them_in_words() -> None:
    given = {"lr_per_layer": {"fc1": 0.1, "*.bias": 0.0}, "layer_lr_decay": 0.75, "sam": {"rho": 2.0, "adaptive": True}}
    found = dict(described(parse(given)))
    assert found["Factors of rates"] == "fc1 0.1, *.bias 0"
    assert found["Decay of rates by layer"] == "0.75"
    assert found["Sharpness-aware minimization"] == "rho 2, adaptive True"
    assert found.keys() - dict(described(parse({}))).keys() == {
        "Factors of rates", "Decay of rates by layer", "Sharpness-aware minimization",
    }  # fmt: skip


@pytest.mark.parametrize("optimizer", ["lamb", "lars", "muon"])
def test_mups_factors_are_for_steps_of_single_weights(optimizer: str) -> None:
    given = {**MLP, "optimizer": optimizer, "initializer": {"name": "mup", "base_width": 4}}
    with pytest.raises(InvalidSpec, match=f"{optimizer} makes steps of whole") as refused:
        check(parse(given), DatasetPaths())
    assert [problem.path for problem in refused.value.problems] == ["initializer"]


def test_a_listed_layer_goes_by_its_index_too() -> None:
    listed = [{"dense": {"units": 4, "name": "first"}}, "relu", {"dense": "outputs"}]
    model = built("sequential", (10,), layers=listed)
    by_index, by_name = (rate_factors(model, None, {key: 0.5, f"{key}.bias": 2.0}) for key in ("0", "first"))
    assert by_index == by_name == {"first.weight": 0.5, "first.bias": 2.0, "2.weight": 1.0, "2.bias": 1.0}
    assert rate_factors(model, None, {"first": 0.5, "0": 0.1})["first.weight"] == 0.5
    spec = {"model": {"name": "sequential", "layers": listed}}
    check(parse(spec | {"dataset": "diabetes", "lr_per_layer": {"0": 0.5}}), DatasetPaths())
    with pytest.raises(InvalidSpec, match="unknown layer or parameter '1'"):
        check(parse(spec | {"dataset": "diabetes", "lr_per_layer": {"1": 0.5}}), DatasetPaths())
