"""The residual branches of torchvision's models, counted as their papers and configurations do."""

from typing import Any

import pytest
import torch

from core.datasets import DatasetPaths
from core.errors import InvalidSpec
from core.initializers import Initializer, initializers
from core.models import models
from core.spec import check, layers_of, parse

BRANCHES: list[tuple[str, int, int, str]] = [
    ("resnet18", 64, 8, "layer1.0.conv2"),
    ("resnet50", 64, 16, "layer1.0.conv3"),
    ("wide_resnet50_2", 64, 16, "layer1.0.conv3"),
    ("resnext50_32x4d", 64, 16, "layer1.0.conv3"),
    ("regnet_y_400mf", 64, 1 + 3 + 6 + 6, "trunk_output.block1.block1-0.f.c.0"),
    ("convnext_tiny", 64, 3 + 3 + 9 + 3, "features.1.0.block.5"),
    ("efficientnet_b0", 64, 16 - 7, "features.2.1.block.3.0"),  # 16 blocks, the first of 7 stages joins nothing
    ("mobilenet_v2", 64, 17 - 7, "features.3.conv.2"),
    ("mobilenet_v3_small", 64, 11 - 5, "features.3.block.2.0"),
    ("mnasnet0_5", 64, 16 - 6, "layers.8.1.layers.6"),
    ("vit_b_16", 224, 2 * 12, "encoder.layers.encoder_layer_0.self_attention.out_proj"),
    ("swin_t", 224, 2 * (2 + 2 + 6 + 2), "features.1.0.attn.proj"),
    ("swin_v2_t", 224, 2 * (2 + 2 + 6 + 2), "features.1.0.attn.proj"),
    ("maxvit_t", 224, 5 * (2 + 2 + 5 + 2), "blocks.0.layers.0.layers.MBconv.layers.conv_c"),
    ("densenet121", 64, 0, ""),
    ("shufflenet_v2_x0_5", 64, 0, ""),
    ("vgg11", 64, 0, ""),
]


def layers(model: str, side: int) -> Any:
    with torch.device("meta"):
        return layers_of(models.parse({"name": "torchvision", "model": model}).build()((3, side, side), 10))


@pytest.mark.slow
@pytest.mark.parametrize(("model", "side", "branches", "first"), BRANCHES, ids=lambda one: str(one))
def test_the_ends_of_residual_branches_are_marked(model: str, side: int, branches: int, first: str) -> None:
    found = layers(model, side)
    ends = [name for name, layer in found.items() if layer.ends_branch]
    assert (len(ends), [*ends, ""][0]) == (branches, first)
    assert {layer.branches for layer in found.values()} == {branches}


def test_gpt2s_start_of_a_vision_transformer() -> None:
    """0.02 / sqrt(24) where its 24 branches end."""
    initializer: Initializer = initializers.parse("depth_scaled").build()
    stds = {name: initializer.weight(layer).std for name, layer in layers("vit_b_16", 224).items()}
    block = "encoder.layers.encoder_layer_3"
    small = [stds[f"{block}.self_attention.out_proj"], stds[f"{block}.mlp.3"]]
    assert small == pytest.approx([0.0040825] * 2, rel=1e-4)
    assert [stds[f"{block}.self_attention.q_proj"], stds[f"{block}.mlp.0"], stds["heads.head"]] == [0.02] * 3


def test_it_is_refused_where_no_branch_is_known() -> None:
    for depth, where in (({}, "initializer"), ({"n_layer": 12}, "initializer.n_layer")):
        with pytest.raises(InvalidSpec) as refusal:
            check(parse({"model": "mlp", "initializer": {"name": "depth_scaled", **depth}}), DatasetPaths())
        ((path, message, _),) = refusal.value.problems
        assert (path, "of this one none is" in message) == (where, True)
