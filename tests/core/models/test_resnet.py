"""ResNets for CIFAR-10: parameter counts of the paper, shortcuts by hand."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

CIFAR = (3, 32, 32)


def count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    ("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7), (1202, 19.4)]
)
def test_parameters_of_table_6(build_model: Any, depth: int, millions: float) -> None:
    with torch.device("meta"):
        model = build_model("resnet", CIFAR, 10, depth=depth)
    assert round(count(model) / 1e6, 2 if millions < 1 else 1) == millions
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    assert len(layers) == depth


def test_shortcut_b_adds_two_projections(build_model: Any) -> None:
    a, b = (count(build_model("resnet", CIFAR, 10, shortcut=shortcut)) for shortcut in "AB")
    assert b - a == (16 * 32 + 2 * 32) + (32 * 64 + 2 * 64)


def test_width_multiplies_the_channels(build_model: Any) -> None:
    model = build_model("resnet", CIFAR, 10, depth=8, width=2)
    assert [tuple(stage[0].conv1.weight.shape[:2]) for stage in (model.stage1, model.stage2, model.stage3)] == [
        (32, 32),
        (64, 32),
        (128, 64),
    ]
    assert model.fc.weight.shape == (10, 128)


@pytest.mark.parametrize("shortcut", ["A", "B"])
def test_the_forward_pass(build_model: Any, shortcut: str) -> None:
    model = build_model("resnet", (3, 9, 6), 10, depth=8, shortcut=shortcut).double().eval()
    weights = {name: torch.randn_like(value) * 0.3 for name, value in model.named_parameters()}
    model.load_state_dict(weights, strict=False)

    def conv(x: torch.Tensor, layer: str, stride: int = 1, padding: int = 1) -> torch.Tensor:
        return functional.conv2d(x, weights[f"{layer}.weight"], stride=stride, padding=padding)

    def norm(x: torch.Tensor, layer: str) -> Any:  # running mean 0 and variance 1
        gain, shift = (weights[f"{layer}.{name}"].view(-1, 1, 1) for name in ("weight", "bias"))
        return x / (1 + 1e-5) ** 0.5 * gain + shift

    x = torch.randn(2, 3, 9, 6, dtype=torch.float64)
    h = norm(conv(x, "conv1"), "bn1").relu()
    for stage in (1, 2, 3):
        at, stride = f"stage{stage}.0", 1 if stage == 1 else 2
        branch = norm(conv(h, f"{at}.conv1", stride), f"{at}.bn1").relu()
        branch = norm(conv(branch, f"{at}.conv2"), f"{at}.bn2")
        if stride == 2 and shortcut == "A":
            h = torch.cat([h[:, :, ::2, ::2], torch.zeros_like(branch)[:, h.shape[1] :]], 1)
        elif stride == 2:
            h = norm(conv(h, f"{at}.shortcut.0", 2, 0), f"{at}.shortcut.1")
        h = (h + branch).relu()
    torch.testing.assert_close(model(x), h.mean((2, 3)) @ weights["fc.weight"].T + weights["fc.bias"])


def test_the_last_convolution_of_every_branch_is_marked(build_model: Any) -> None:
    model = build_model("resnet", CIFAR, 10, depth=14, shortcut="B")
    marked = [name for name, layer in model.named_modules() if hasattr(layer, "ends_branch")]
    assert marked == [f"stage{stage}.{block}.conv2" for stage in (1, 2, 3) for block in (0, 1)]


@pytest.mark.parametrize(("depth", "nearest"), [(18, "14 and 20"), (21, "20 and 26"), (9, "8 and 14")])
def test_other_depths_are_refused(refusals: Any, depth: int, nearest: str) -> None:
    (problem,) = refusals("resnet", depth=depth)
    assert problem.message == f"depth {depth} is not 6n + 2; the nearest are {nearest}"
