"""The residual networks for CIFAR-10."""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import nn
from torch.nn.functional import pad

from core.models import Model, models
from core.models._residual import ends_branch
from core.models._sizes import picture
from core.models._widths import IsWidth


@models.register(
    formula="conv 3x3 -> 3 stages of n = (depth - 2) / 6 blocks, 16, 32 and 64 times width channels, "
    "x -> relu(x + bn(conv(relu(bn(conv(x)))))) -> mean -> linear",
    source="He, Zhang, Ren & Sun 2016, section 4.2, arXiv:1512.03385",
)
def resnet(
    *,
    depth: Annotated[int, Field(ge=8, le=1202)] = 20,
    width: Annotated[int, Field(ge=1, le=64), IsWidth()] = 1,
    shortcut: Literal["A", "B"] = "A",
) -> Model:
    """`depth` is 6n + 2, such as 20, 32, 44, 56 or 110; `width` multiplies the channels.

    Where a stage begins, `shortcut` A takes every second pixel and fills new channels with zeros, as the paper does on
    CIFAR-10; B projects with a 1x1 convolution and batch norm.
    """
    if depth % 6 != 2:
        below = depth - (depth - 2) % 6
        raise ValueError(f"depth {depth} is not 6n + 2; the nearest are {below} and {below + 6}")

    def build(inputs: tuple[int, ...], outputs: int) -> nn.Module:
        channels, _, _ = picture(inputs)
        return ResNet(channels=channels, outputs=outputs, blocks=(depth - 2) // 6, width=16 * width, shortcut=shortcut)

    return build


class ResNet(nn.Module):
    """Three stages of `blocks` blocks, the second and the third with half the size and twice the channels."""

    def __init__(self, *, channels: int, outputs: int, blocks: int, width: int, shortcut: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.stage1 = _stage(blocks, inputs=width, outputs=width, shortcut=shortcut)
        self.stage2 = _stage(blocks, inputs=width, outputs=2 * width, shortcut=shortcut)
        self.stage3 = _stage(blocks, inputs=2 * width, outputs=4 * width, shortcut=shortcut)
        self.fc = nn.Linear(4 * width, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.stage3(self.stage2(self.stage1(x)))
        outputs: torch.Tensor = self.fc(x.mean((2, 3)))
        return outputs


class Block(nn.Module):
    """A residual block: two convolutions with batch norms, added to a shortcut."""

    def __init__(self, inputs: int, outputs: int, shortcut: str) -> None:
        super().__init__()
        stride = outputs // inputs
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = ends_branch(nn.Conv2d(outputs, outputs, 3, padding=1, bias=False))
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 and shortcut == "A":
            self.shortcut = Subsample(outputs - inputs)
        elif stride > 1:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        branch = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        outputs: torch.Tensor = self.relu(self.shortcut(x) + branch)
        return outputs


class Subsample(nn.Module):
    """Every second pixel, and `new` channels of zeros."""

    def __init__(self, new: int) -> None:
        super().__init__()
        self.new = new

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, self.new))


def _stage(blocks: int, *, inputs: int, outputs: int, shortcut: str) -> nn.Sequential:
    first = Block(inputs, outputs, shortcut)
    return nn.Sequential(first, *(Block(outputs, outputs, shortcut) for _ in range(blocks - 1)))
