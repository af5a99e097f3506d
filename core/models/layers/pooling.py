"""Pooling."""

import math
from typing import Literal

import torch
from torch import nn

from core.models.layers import Built, LayerBuilder, Shape, layers
from core.models.layers._sizes import Border, Kernel, Pair, picture_of
from core.registry import Alias


@layers.register(
    formula="y_(c,i,j) = max of x_c in the kernel at (i, j)·stride",
    source="torch.nn.MaxPool2d; keras.layers.MaxPooling2D",
    aliases=[Alias("MaxPool2d"), Alias("MaxPooling2D"), Alias("max_pool")],
)
def maxpool(
    *,
    kernel_size: Pair = [2, 2],  # noqa: B006 pydantic copies defaults
    stride: Pair | None = None,
    padding: Border = [0, 0],  # noqa: B006
) -> LayerBuilder:
    """The largest number in each place of the kernel, which moves by `stride` (its own size, where nothing is said)."""
    kernel = _pool(kernel_size, stride, padding)

    def build(inputs: Shape, _outputs: int) -> Built:
        channels, *sides = picture_of(inputs)
        rows, columns = kernel.over(*sides)
        border = (rows.before, columns.before)
        modules: dict[str, nn.Module] = {}
        if border != (rows.after, columns.after):
            around = (columns.before, columns.after, rows.before, rows.after)
            modules["-pad"] = nn.ConstantPad2d(around, -math.inf)
            border = (0, 0)
        modules[""] = nn.MaxPool2d(_sides(kernel.size), _sides(kernel.stride), padding=border)
        return Built(modules, (channels, rows.given, columns.given))

    return build


@layers.register(
    formula="y_(c,i,j) = mean of x_c in the kernel at (i, j)·stride",
    source="torch.nn.AvgPool2d; keras.layers.AveragePooling2D",
    aliases=[Alias("AvgPool2d"), Alias("AveragePooling2D"), Alias("avg_pool")],
)
def avgpool(
    *,
    kernel_size: Pair = [2, 2],  # noqa: B006
    stride: Pair | None = None,
    padding: Border = [0, 0],  # noqa: B006
    count_include_pad: bool = True,
) -> LayerBuilder:
    """The mean in each place of the kernel, which moves by `stride` (its own size, where nothing is said).

    With `count_include_pad` a border of so many pixels counts as zeros, as in torch; that of "same" never counts, as in
    Keras.
    """
    kernel = _pool(kernel_size, stride, padding)

    def build(inputs: Shape, _outputs: int) -> Built:
        channels, *sides = picture_of(inputs)
        rows, columns = kernel.over(*sides)
        if (rows.before, columns.before) != (rows.after, columns.after):
            raise ValueError(
                f'cannot put an odd border around pictures of {inputs[1]} x {inputs[2]}, as "same" asks: '
                'take "valid", or a number of pixels'
            )
        pool = nn.AvgPool2d(
            _sides(kernel.size),
            _sides(kernel.stride),
            padding=(rows.before, columns.before),
            count_include_pad=count_include_pad and padding != "same",
        )
        return Built({"": pool}, (channels, rows.given, columns.given))

    return build


@layers.register(
    formula="y_c = mean of x_c",
    source="keras.layers.GlobalAveragePooling2D; Lin, Chen & Yan 2014, arXiv:1312.4400",
    aliases=[Alias("GlobalAveragePooling2D"), Alias("global_avg_pool")],
)
def global_average_pooling() -> LayerBuilder:
    """The mean of every channel: pictures become rows of as many numbers as they have channels."""

    def build(inputs: Shape, _outputs: int) -> Built:
        channels, *_ = picture_of(inputs)
        return Built({"": GlobalAverage()}, (channels,))

    return build


@layers.register(
    formula="avgpool of height / output_size by width / output_size",
    source="torch.nn.AdaptiveAvgPool2d; keras.layers.AdaptiveAveragePooling2D",
    aliases=[Alias("AdaptiveAvgPool2d"), Alias("AdaptiveAveragePooling2D")],
)
def adaptive_avg_pool(*, output_size: Pair) -> LayerBuilder:
    """Means over a picture that is cut into `output_size` parts, which should divide its height and width."""

    def build(inputs: Shape, _outputs: int) -> Built:
        channels, height, width = picture_of(inputs)
        rows, columns = output_size
        if height % rows or width % columns:
            raise ValueError(f"cannot cut pictures of {height} x {width} evenly into {rows} x {columns} parts")
        return Built({"": nn.AvgPool2d((height // rows, width // columns))}, (channels, rows, columns))

    return build


@layers.register(
    formula="y_c = max of x_c",
    source="torch.nn.AdaptiveMaxPool2d(1); keras.layers.GlobalMaxPooling2D",
    aliases=[Alias("GlobalMaxPooling2D"), Alias("GlobalMaxPool2D"), Alias("global_max_pool")],
)
def global_max_pooling() -> LayerBuilder:
    """The largest number of every channel: pictures become rows of as many numbers as they have channels."""

    def build(inputs: Shape, _outputs: int) -> Built:
        channels, *_ = picture_of(inputs)
        return Built({"": GlobalMax()}, (channels,))

    return build


class GlobalMax(nn.Module):
    """(batch, channels, height, width) to the channels' largest numbers, (batch, channels)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(2).max(2).values


class GlobalAverage(nn.Module):
    """(batch, channels, height, width) to the channels' means, (batch, channels)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3))


def _pool(size: list[int], stride: list[int] | None, padding: list[int] | Literal["same"]) -> Kernel:
    if padding != "same" and any(2 * border > side for border, side in zip(padding, size, strict=True)):
        raise ValueError(
            f"a border of {padding[0]} x {padding[1]} is too much: half the kernel of {size[0]} x {size[1]} is the most"
        )
    return Kernel(size, stride or size, padding, [1, 1])


def _sides(pair: list[int]) -> tuple[int, int]:
    return pair[0], pair[1]
