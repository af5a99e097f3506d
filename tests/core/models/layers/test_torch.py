"""Every layer against torch's own module: the same function, the same gradients, the shape that it says."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from pydantic_core import PydanticCustomError
from torch import nn
from torch.func import functional_call

from core.models import models
from core.models.layers import Built, layers
from core.models.layers._spelling import parse_layer

PICTURE, ROW = (4, 7, 10), (12,)
Peer = Callable[[], list[nn.Module]]
CASES: list[tuple[Any, tuple[int, ...], Peer]] = [
    ({"conv2d": {"filters": 6, "kernel": 3}}, PICTURE, lambda: [nn.Conv2d(4, 6, 3)]),
    (
        {"Conv2d": {"out_channels": 6, "kernel_size": [3, 5], "stride": 2, "padding": [1, 2], "bias": False}},
        PICTURE,
        lambda: [nn.Conv2d(4, 6, (3, 5), stride=2, padding=(1, 2), bias=False)],
    ),
    (
        {"Conv2d": {"out_channels": 6, "kernel_size": 3, "dilation": [2, 3], "groups": 2, "padding": "same"}},
        PICTURE,
        lambda: [nn.Conv2d(4, 6, 3, dilation=(2, 3), groups=2, padding="same")],
    ),
    ({"Conv2d": {"out_channels": 6, "kernel_size": 4, "padding": "same"}}, PICTURE, lambda: [_EvenSame(4, 6, 4)]),
    (
        {"conv2d": {"filters": 6, "kernel_size": 3, "activation": "relu"}},
        PICTURE,
        lambda: [nn.Conv2d(4, 6, 3), nn.ReLU()],
    ),
    (
        {"depthwise_conv2d": {"kernel_size": 3, "depth_multiplier": 2, "activation": "tanh"}},
        PICTURE,
        lambda: [nn.Conv2d(4, 8, 3, groups=4), nn.Tanh()],
    ),
    (
        {"separable_conv2d": {"filters": 5, "kernel_size": 3, "padding": 1}},
        PICTURE,
        lambda: [nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False), nn.Conv2d(4, 5, 1)],
    ),
    ({"conv_transpose2d": {"filters": 6, "kernel": 3}}, PICTURE, lambda: [nn.ConvTranspose2d(4, 6, 3)]),
    (
        {
            "ConvTranspose2d": {
                "out_channels": 6,
                "kernel_size": [3, 4],
                "stride": [2, 3],
                "padding": [1, 2],
                "output_padding": 1,
                "bias": False,
            }
        },
        PICTURE,
        lambda: [nn.ConvTranspose2d(4, 6, (3, 4), (2, 3), (1, 2), 1, bias=False)],
    ),
    (
        {"Conv2DTranspose": {"filters": 6, "kernel_size": 4, "strides": 2, "padding": "same", "activation": "relu"}},
        PICTURE,
        lambda: [nn.ConvTranspose2d(4, 6, 4, 2, 1), nn.ReLU()],
    ),
    ("relu6", PICTURE, lambda: [nn.ReLU6()]),
    ("input_layer", PICTURE, lambda: [nn.Identity()]),
    ({"zero_padding": [1, 2, 3, 4]}, PICTURE, lambda: [nn.ZeroPad2d((1, 2, 3, 4))]),
    ({"ZeroPadding2D": {"padding": [[3, 4], [1, 2]]}}, PICTURE, lambda: [nn.ZeroPad2d((1, 2, 3, 4))]),
    ({"ZeroPadding2D": [2, 1]}, PICTURE, lambda: [nn.ZeroPad2d((1, 1, 2, 2))]),
    ({"rescaling": {"scale": 2.0, "offset": -0.5}}, ROW, lambda: [_Rescaled()]),
    ("global_max_pooling", PICTURE, lambda: [nn.AdaptiveMaxPool2d(1), nn.Flatten()]),
    ({"Linear": {"out_features": 5, "bias": False}}, ROW, lambda: [nn.Linear(12, 5, bias=False)]),
    ({"dense": {"units": 5, "activation": "selu"}}, ROW, lambda: [nn.Linear(12, 5), nn.SELU()]),
    ("flatten", PICTURE, lambda: [nn.Flatten()]),
    ({"MaxPool2d": {"kernel_size": 3, "stride": 2, "padding": 1}}, PICTURE, lambda: [nn.MaxPool2d(3, 2, 1)]),
    ({"maxpool": [3, 2]}, PICTURE, lambda: [nn.MaxPool2d((3, 2))]),
    ({"AvgPool2d": {"kernel_size": 3, "stride": 2, "padding": 1}}, PICTURE, lambda: [nn.AvgPool2d(3, 2, 1)]),
    (
        {"avgpool": {"kernel_size": [3, 2], "padding": 1, "count_include_pad": False}},
        PICTURE,
        lambda: [nn.AvgPool2d((3, 2), padding=1, count_include_pad=False)],
    ),
    ({"adaptive_avg_pool": [7, 5]}, PICTURE, lambda: [nn.AdaptiveAvgPool2d((7, 5))]),
    ({"adaptive_avg_pool": 1}, PICTURE, lambda: [nn.AdaptiveAvgPool2d(1)]),
    ("global_average_pooling", PICTURE, lambda: [nn.AdaptiveAvgPool2d(1), nn.Flatten()]),
    ("BatchNorm2d", PICTURE, lambda: [nn.BatchNorm2d(4)]),
    (
        {"batch_norm": {"momentum": 0.3, "eps": 0.01, "affine": False}},
        ROW,
        lambda: [nn.BatchNorm1d(12, 0.01, 0.3, False)],
    ),
    ("LayerNorm", ROW, lambda: [nn.LayerNorm(12)]),
    ({"layer_norm": {"affine": False, "eps": 0.1}}, ROW, lambda: [nn.LayerNorm(12, 0.1, False)]),
    ({"GroupNorm": {"num_groups": 2, "eps": 0.1}}, PICTURE, lambda: [nn.GroupNorm(2, 4, 0.1)]),
    ({"group_norm": 3}, ROW, lambda: [nn.GroupNorm(3, 12)]),
    ({"Dropout": {"p": 0.3}}, ROW, lambda: [nn.Dropout(0.3)]),
    ("dropout", PICTURE, lambda: [nn.Dropout(0.5)]),
    ({"dropout2d": 0.3}, PICTURE, lambda: [nn.Dropout2d(0.3)]),
    ("relu", ROW, lambda: [nn.ReLU()]),
    ("leaky_relu", ROW, lambda: [nn.LeakyReLU()]),
    ({"LeakyReLU": {"negative_slope": 0.3}}, ROW, lambda: [nn.LeakyReLU(0.3)]),
    ("prelu", PICTURE, lambda: [nn.PReLU()]),
    ("elu", ROW, lambda: [nn.ELU()]),
    ("selu", ROW, lambda: [nn.SELU()]),
    ("gelu", ROW, lambda: [nn.GELU()]),
    ("silu", ROW, lambda: [nn.SiLU()]),
    ("swish", ROW, lambda: [nn.SiLU()]),
    ("mish", ROW, lambda: [nn.Mish()]),
    ("hardswish", ROW, lambda: [nn.Hardswish()]),
    ("hard_silu", ROW, lambda: [nn.Hardswish()]),
    ("softplus", ROW, lambda: [nn.Softplus()]),
    ("tanh", ROW, lambda: [nn.Tanh()]),
    ("sigmoid", ROW, lambda: [nn.Sigmoid()]),
    ("identity", ROW, lambda: [nn.Identity()]),
]


class _EvenSame(nn.Conv2d):
    """torch's "same" of an even kernel, which warns of its copy of the input."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(nn.functional.pad(x, (1, 2, 1, 2)))


class _Rescaled(nn.Module):
    """keras.layers.Rescaling(2.0, -0.5)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * x - 0.5


@pytest.fixture(autouse=True)
def _seeded() -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def made(raw: Any, inputs: tuple[int, ...]) -> Built:
    built: Built = parse_layer(raw).layer.build()(inputs, 3)
    return built


@pytest.mark.parametrize(("raw", "inputs", "peer"), CASES, ids=[str(raw) for raw, _, _ in CASES])
def test_it_is_torchs(raw: Any, inputs: tuple[int, ...], peer: Peer) -> None:
    built = made(raw, inputs)
    ours, theirs = nn.Sequential(*built.modules.values()).double(), nn.Sequential(*peer()).double()
    mine, others = [[*module.parameters()] for module in (ours, theirs)]
    assert [p.shape for p in mine] == [p.shape for p in others]
    with torch.no_grad():
        for a, b in zip(mine, others, strict=True):
            b.copy_(a.normal_())
    x = torch.randn(6, *inputs, dtype=torch.float64)
    found = []
    for module in (ours, theirs):
        torch.manual_seed(1)  # dropout's masks
        leaf = x.clone().requires_grad_()
        outputs = module(leaf)
        noise = torch.linspace(-1, 1, outputs.numel(), dtype=torch.float64).view(outputs.shape)
        found.append([outputs, *torch.autograd.grad(outputs, [leaf, *module.parameters()], noise), *module.buffers()])
    torch.testing.assert_close(found[0], found[1], rtol=1e-12, atol=1e-12)
    assert tuple(found[0][0].shape[1:]) == built.shape


def test_every_layer_is_held_against_torch() -> None:
    assert {parse_layer(raw).layer.name for raw, _, _ in CASES} == set(layers)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
def test_a_picture_of_any_size_has_the_shape_that_is_said(kernel: int, stride: int) -> None:
    """Of a layer whose kernel it holds; with a border as of "same" every size is taken."""
    for side in range(1, 9):
        for padding, border in [("same", None), (0, 0), (kernel // 2, kernel // 2)]:
            given = {"kernel_size": kernel, "stride": stride, "padding": padding}
            for written in ({"conv2d": {**given, "filters": 1}}, {"maxpool": given}):
                if border is not None and side + 2 * border < kernel:
                    with pytest.raises(ValueError, match=f"has a kernel of {kernel} x {kernel}, larger"):
                        made(written, (1, side, 9))
                    continue
                built = made(written, (1, side, 9))
                outputs = nn.Sequential(*built.modules.values())(torch.zeros(1, 1, side, 9))
                assert tuple(outputs.shape[1:]) == built.shape
                assert border is not None or built.shape == (1, -(-side // stride), -(-9 // stride))


def test_a_network_of_torchs_names_is_the_sequential_written_by_hand() -> None:
    raw = [
        {"Conv2d": {"out_channels": 6, "kernel_size": 5, "padding": 2}},
        {"BatchNorm2d": {"eps": 1e-3}},
        "ReLU",
        {"MaxPool2d": {"kernel_size": 2}},
        {"Conv2d": {"out_channels": 8, "kernel_size": 3}},
        "Tanh",
        {"AvgPool2d": {"kernel_size": 2}},
        "Flatten",
        {"Linear": {"out_features": 20}},
        "ReLU",
        {"Linear": {"out_features": 10}},
    ]
    ours = models.parse({"name": "sequential", "layers": raw}).build()((3, 16, 16), 10).double()
    theirs = nn.Sequential(
        nn.Conv2d(3, 6, 5, padding=2),
        nn.BatchNorm2d(6, eps=1e-3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(8 * 3 * 3, 20),
        nn.ReLU(),
        nn.Linear(20, 10),
    ).double()
    state = {name: value.detach().clone() for name, value in ours.named_parameters()}
    assert state.keys() == dict(theirs.named_parameters()).keys()  # "0.weight", as torch's own
    x = torch.randn(5, 3, 16, 16, dtype=torch.float64)

    def loss(module: nn.Module, *values: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = functional_call(module, dict(zip(state, values, strict=True)), (x,))
        return outputs.square().sum()

    found = []
    for module in (ours, theirs):
        leaves = [value.clone().requires_grad_() for value in state.values()]
        total = loss(module, *leaves)
        found.append([total, *torch.autograd.grad(total, leaves)])
    torch.testing.assert_close(found[0], found[1], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"conv_transpose2d": {"filters": 2, "kernel_size": 3, "stride": 2, "padding": "same"}}, "by an even number"),
        ({"conv_transpose2d": {"filters": 2, "kernel_size": 3, "output_padding": 1}}, "less than the stride, 1"),
        ({"zero_padding": [1, 2, 3]}, "torch's four"),
        ({"zero_padding": -1}, "a number from 0"),
        ({"Input": {"shape": [7, 10, 4]}}, "is the data set's: leave it out"),
    ],
    ids=str,
)
def test_what_a_layer_cannot_do_is_refused(raw: Any, words: str) -> None:
    with pytest.raises(PydanticCustomError) as refusal:
        parse_layer(raw)
    (problem,) = (refusal.value.context or {})["problems"]
    assert words in problem.message


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="leaves nothing of pictures of 7 x 10"):
        made({"conv_transpose2d": {"filters": 2, "kernel_size": 1, "padding": 5}}, PICTURE)
