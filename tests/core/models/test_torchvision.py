"""Torchvision's models: its own function on colour and grey pictures, and refusals that say what is wrong."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn
from torch.func import vmap

from core.models import StochasticDepth
from core.models.torchvision import _make_stackable
from core.torchvision import load


@pytest.mark.parametrize(
    ("name", "side", "options"),
    [
        ("squeezenet1_1", 32, {}),
        ("efficientnet_b0", 32, {}),  # stochastic depth, global means
        ("regnet_x_400mf", 32, {}),  # counts in tensors
        pytest.param("vit_b_32", 64, {"image_size": 64}, marks=pytest.mark.slow),  # attention; 87 million weights
    ],
)
def test_it_is_torchvisions_function(build_model: Any, name: str, side: int, options: dict[str, Any]) -> None:
    with torch.device(
        "cpu" if name.startswith("regnet") else "meta"
    ):  # torchvision's own regnet cannot be built on meta
        theirs = load().models.get_model(name, weights=None, num_classes=7, **options).eval()
    with torch.device("meta"):
        ours, grey = (build_model("torchvision", (c, side, side), 7, model=name).eval() for c in (3, 1))
    theirs.to_empty(device="cpu")
    for value in theirs.state_dict().values():
        value.random_(1, 2) if value.dtype == torch.int64 else value.uniform_(-0.05, 0.15).abs_()
    for model in (ours, grey):
        model.load_state_dict(theirs.state_dict(), assign=True)
    x = torch.randn(2, 3, side, side)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x))
        torch.testing.assert_close(grey(x[:, :1]), theirs(x[:, :1].repeat(1, 3, 1, 1)))
        assert theirs(x).std() > 0


def test_stochastic_depth_is_the_one_that_is_paired(build_model: Any) -> None:
    with torch.device("meta"):
        model = build_model("torchvision", (3, 32, 32), 7, model="efficientnet_b0")
    rates = [layer.p for layer in model.modules() if isinstance(layer, StochasticDepth)]
    assert rates == pytest.approx([0.2 * i / 16 for i in range(16)])
    assert not any(isinstance(layer, load().ops.StochasticDepth) for layer in model.modules())


@pytest.fixture
def _only_batched() -> Iterator[None]:
    """An operation that vmap can only do lane by lane raises."""
    functorch: Any = torch._C._functorch  # its stubs lack the switch
    functorch._set_vmap_fallback_enabled(False)
    yield
    functorch._set_vmap_fallback_enabled(True)


@pytest.mark.usefixtures("_only_batched")
@pytest.mark.parametrize("training", [True, False])
def test_attention_is_batched_over_lanes(training: bool) -> None:
    attention = nn.MultiheadAttention(8, 2, batch_first=True).train(training)
    x = torch.randn(3, 4, 5, 8)
    expected = [attention(lane, lane, lane, need_weights=False)[0] for lane in x]
    _make_stackable(attention)
    with torch.set_grad_enabled(training):
        lanes, _ = vmap(lambda lane: attention(lane, lane, lane, need_weights=False))(x)
    torch.testing.assert_close(lanes, torch.stack(expected))


@pytest.mark.usefixtures("_only_batched")
def test_a_global_mean_is_batched_over_lanes_in_any_memory_order() -> None:
    pool = nn.Sequential(nn.AdaptiveAvgPool2d(1))
    _make_stackable(pool)
    x = torch.randn(3, 4, 5, 5, 8).permute(0, 1, 4, 2, 3)
    torch.testing.assert_close(vmap(pool)(x).flatten(2), x.mean((3, 4)))


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_auxiliary_outputs_are_left_out(build_model: Any, name: str) -> None:
    with torch.device("meta"):
        model = build_model("torchvision", (3, 96, 96), 7, model=name).train()
        assert model(torch.empty(2, 3, 96, 96)).shape == (2, 7)
    assert not any("aux" in parameter for parameter, _ in model.named_parameters())


@pytest.mark.parametrize(
    ("name", "inputs", "message"),
    [
        ("vgg11", (1, 28, 28), "vgg11 cannot take pictures of 28 x 28: .*too small"),
        ("vit_b_16", (1, 28, 28), "vit_b_16 cannot take pictures of 28 x 28: .*indivisible by patch size"),
        ("vit_b_32", (3, 32, 64), "vit_b_32 cannot take pictures of 32 x 64: Wrong image width"),
        ("resnet18", (30,), "takes pictures"),
        ("resnet18", (4, 32, 32), "resnet18 takes grey or colour pictures; these have 4 channels"),
    ],
)
def test_what_it_cannot_take_is_refused(build_model: Any, name: str, inputs: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_model("torchvision", inputs, 7, model=name)


@pytest.mark.parametrize("name", ["resnet19", "fasterrcnn_resnet50_fpn", "quantized_resnet18", "r3d_18", "ResNet", ""])
def test_only_classification_models_are_known(refusals: Any, name: str) -> None:
    (problem,) = refusals("torchvision", model=name)
    assert problem.path == "model"
    assert f"unknown torchvision model {name!r}" in problem.message
    assert set(problem.known) <= set(load().models.list_models(module=load().models))


def test_a_near_name_is_offered(refusals: Any) -> None:
    (problem,) = refusals("torchvision", model="resnet19")
    assert "resnet18" in problem.known
