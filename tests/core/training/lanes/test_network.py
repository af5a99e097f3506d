"""The networks that the trainers make of a model: other ways to the same numbers."""

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn
from torch.func import functional_call, vmap
from torch.nn.functional import conv2d

from core.training.lanes.network import StackedBatchNorm2d, StackedConvolution, pooled_first


@pytest.fixture(autouse=True)
def drawn() -> Iterator[None]:
    """Weights and pictures of this module's own."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def names(module: nn.Module) -> list[str]:
    return [type(child).__name__ for child in module.children()]


class Twice(nn.Module):
    """A module of its own order, with a sequence inside."""

    def __init__(self) -> None:
        super().__init__()
        self.relu, self.pool = nn.ReLU(), nn.MaxPool2d(2)
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(3, stride=2, padding=1))
        self.none = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.features(self.pool(self.relu(x)))
        return found


def one_relu_in_two_places() -> nn.Module:
    relu = nn.ReLU(inplace=True)
    return nn.Sequential(nn.Conv2d(3, 4, 3), relu, nn.MaxPool2d(2), nn.Conv2d(4, 4, 3), relu, nn.MaxPool2d(2))


MODULES: dict[str, tuple[Callable[[], nn.Module], list[str]]] = {
    "sequence": (
        lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        ["Conv2d", "BatchNorm2d", "MaxPool2d", "ReLU", "Flatten"],
    ),
    "inside": (Twice, ["ReLU", "MaxPool2d", "Sequential"]),
    "one twice": (one_relu_in_two_places, ["Conv2d", "MaxPool2d", "ReLU", "Conv2d"]),
    "other activation": (
        lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.MaxPool2d(2)),
        ["Conv2d", "Tanh", "MaxPool2d"],
    ),
}


@pytest.mark.parametrize("case", MODULES)
def test_a_pool_before_its_relu_gives_the_same_bits(case: str) -> None:
    """Also where all that a pool sees is negative, or the largest is there twice."""
    written = MODULES[case][0]()
    ours = pooled_first(written)
    assert names(ours)[: len(MODULES[case][1])] == MODULES[case][1]
    assert dict(ours.named_parameters()).keys() == dict(written.named_parameters()).keys()
    x = torch.randn(6, 3, 16, 16).round(decimals=1)
    x[0] = -1.0
    found = []
    for module in (written, ours):
        outputs = module(x)
        gradients = torch.autograd.grad(outputs.square().sum(), list(module.parameters()))
        found.append([outputs, *gradients])
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(*found, strict=True))


def test_the_sequence_inside_is_reordered_too() -> None:
    features = pooled_first(Twice()).get_submodule("features")
    assert names(features) == ["Conv2d", "MaxPool2d", "ReLU"]


@pytest.mark.parametrize(
    "made",
    [
        lambda: nn.Conv2d(3, 8, 3, padding=1),
        lambda: nn.Conv2d(3, 8, (5, 3), stride=2, padding=(2, 0), bias=False),
        lambda: nn.Conv2d(3, 8, 3, dilation=2),
        lambda: nn.Conv2d(3, 6, 3, groups=3),
        lambda: nn.Conv2d(3, 8, 3, padding="same"),
        lambda: nn.Conv2d(3, 8, 3, padding=1, padding_mode="circular"),
    ],
    ids=["plain", "strided", "dilated", "grouped", "same", "circular"],
)
def test_stacked_convolutions_are_torchs(made: Callable[[], nn.Conv2d]) -> None:
    plain = made().double()
    stacks = {name: torch.randn(4, *value.shape, dtype=torch.float64) for name, value in plain.named_parameters()}
    x = torch.randn(5, 3, 11, 12, dtype=torch.float64)
    expected = torch.stack(
        [functional_call(plain, {name: stack[i] for name, stack in stacks.items()}, (x,)) for i in range(4)]
    )
    plain.__class__ = StackedConvolution
    found = vmap(lambda own: functional_call(plain, own, (x,)))(stacks)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_a_lane_that_is_not_finite_leaves_its_neighbours_alone() -> None:
    weight = torch.randn(3, 4, 3, 3, 3)
    layer = StackedConvolution(3, 4, 3, bias=False)
    x = torch.randn(2, 3, 8, 8)
    weight[1] = torch.nan
    found = vmap(lambda w: functional_call(layer, {"weight": w}, (x,)))(weight)
    for lane in (0, 2):
        torch.testing.assert_close(found[lane], conv2d(x, weight[lane]), rtol=1e-4, atol=1e-4)
    assert found[1].isnan().all()


def test_a_batch_norm_keeps_its_statistics_in_float32_under_autocast() -> None:
    norm = StackedBatchNorm2d(4)
    buffers = {"running_mean": torch.zeros(3, 4), "running_var": torch.ones(3, 4)}
    x = torch.randn(3, 6, 4, 5, 5, dtype=torch.bfloat16)

    def call(own: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = functional_call(norm, own, (x,))
        return found

    with torch.autocast("cpu", torch.bfloat16):
        outputs = vmap(call)(buffers, x)
    assert outputs.dtype == torch.bfloat16
    assert buffers["running_mean"].dtype == torch.float32
    torch.testing.assert_close(buffers["running_mean"], 0.1 * x.float().mean((1, 3, 4)), rtol=1e-4, atol=1e-6)
