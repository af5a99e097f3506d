"""Convolutions."""

from typing import Annotated, Literal

from pydantic import Field
from torch import nn

from core.models._sizes import Width
from core.models.layers import Built, LayerBuilder, Shape, layers
from core.models.layers._activation import Activation, followed
from core.models.layers._sizes import LONGEST, Border, Kernel, Outputs, Pair, picture_of, width_of
from core.registry import Alias, Count


@layers.register(
    formula="y_f = b_f + sum over c of w_(f,c) * x_c, of the channels f and c; activation(y)",
    source="torch.nn.Conv2d; keras.layers.Conv2D",
    aliases=[Alias("Conv2d"), Alias("Conv2D"), Alias("Convolution2D")],
)
def conv2d(
    *,
    filters: Outputs,
    kernel_size: Pair,
    stride: Pair = [1, 1],  # noqa: B006 pydantic copies defaults
    padding: Border = [0, 0],  # noqa: B006
    dilation: Pair = [1, 1],  # noqa: B006
    groups: Count = 1,
    bias: bool = True,
    activation: Activation = "linear",
) -> LayerBuilder:
    """A convolution of pictures with `filters` channels of its own.

    `padding` is a number of pixels, "valid" (none) or "same", as in Keras: the picture is divided by the stride and
    rounded up, and an odd pixel of border lies below and to the right.
    """
    kernel = Kernel(kernel_size, stride, padding, dilation)

    def build(inputs: Shape, outputs: int) -> Built:
        channels, *_ = picture_of(inputs)
        out = width_of(filters, outputs)
        if channels % groups or out % groups:
            raise ValueError(f"cannot share {channels} channels in and {out} out evenly among {groups} groups")
        modules, shape = _convolution(inputs, out, kernel, groups=groups, bias=bias)
        return Built(modules | followed(activation), shape)

    return build


@layers.register(
    formula="y_(c·m + i) = b_(c·m + i) + w_(c,i) * x_c, i < m = depth_multiplier; activation(y)",
    source="keras.layers.DepthwiseConv2D; torch.nn.Conv2d with groups=in_channels",
    aliases=[Alias("DepthwiseConv2D")],
)
def depthwise_conv2d(
    *,
    kernel_size: Pair,
    depth_multiplier: Width = 1,
    stride: Pair = [1, 1],  # noqa: B006
    padding: Border = [0, 0],  # noqa: B006
    dilation: Pair = [1, 1],  # noqa: B006
    bias: bool = True,
    activation: Activation = "linear",
) -> LayerBuilder:
    """A convolution of every channel by itself, which gives `depth_multiplier` channels of each."""
    kernel = Kernel(kernel_size, stride, padding, dilation)

    def build(inputs: Shape, _outputs: int) -> Built:
        channels, *_ = picture_of(inputs)
        out = channels * depth_multiplier
        modules, shape = _convolution(inputs, out, kernel, groups=channels, bias=bias)
        return Built(modules | followed(activation), shape)

    return build


@layers.register(
    formula="conv2d 1x1 of depthwise_conv2d(x)",
    source="keras.layers.SeparableConv2D; Chollet 2017, arXiv:1610.02357",
    aliases=[Alias("SeparableConv2D")],
)
def separable_conv2d(
    *,
    filters: Outputs,
    kernel_size: Pair,
    depth_multiplier: Width = 1,
    stride: Pair = [1, 1],  # noqa: B006
    padding: Border = [0, 0],  # noqa: B006
    dilation: Pair = [1, 1],  # noqa: B006
    bias: bool = True,
    activation: Activation = "linear",
) -> LayerBuilder:
    """A convolution of every channel by itself, without a bias, and one of 1 x 1 over all that it gives.

    The first is named as the layer with "-depthwise" behind it, the second as the layer.
    """
    kernel = Kernel(kernel_size, stride, padding, dilation)

    def build(inputs: Shape, outputs: int) -> Built:
        channels, *_ = picture_of(inputs)
        between, out = channels * depth_multiplier, width_of(filters, outputs)
        first, shape = _convolution(inputs, between, kernel, groups=channels, bias=False)
        first["-depthwise"] = first.pop("")
        return Built(first | {"": nn.Conv2d(between, out, 1, bias=bias)} | followed(activation), (out, *shape[1:]))

    return build


@layers.register(
    formula="the transpose of the convolution of that kernel and stride; activation(y)",
    source="torch.nn.ConvTranspose2d; keras.layers.Conv2DTranspose",
    aliases=[Alias("ConvTranspose2d"), Alias("Conv2DTranspose"), Alias("Convolution2DTranspose")],
)
def conv_transpose2d(
    *,
    filters: Outputs,
    kernel_size: Pair,
    stride: Pair = [1, 1],  # noqa: B006
    padding: Border = [0, 0],  # noqa: B006
    output_padding: Annotated[int, Field(ge=0, le=LONGEST)] = 0,
    bias: bool = True,
    activation: Activation = "linear",
) -> LayerBuilder:
    """A transposed convolution of pictures: a side becomes (side - 1)·stride + kernel - 2·padding + output_padding.

    "same" makes sides `stride` times as long, as in Keras, of kernels that are longer than the stride by an even
    number; others want numbers, as torch has them.
    """
    cut, more = _cut(kernel_size, stride, padding), output_padding
    if more and more >= min(stride):
        raise ValueError(f"an output_padding of {more} should be less than the stride, {min(stride)}")

    def build(inputs: Shape, outputs: int) -> Built:
        channels, *sides = picture_of(inputs)
        out = width_of(filters, outputs)
        given = [(n - 1) * s + k - 2 * p + more for n, s, k, p in zip(sides, stride, kernel_size, cut, strict=True)]
        if min(given) < 1:
            raise ValueError(f"leaves nothing of pictures of {sides[0]} x {sides[1]}: its padding is too much")
        pairs = [(pair[0], pair[1]) for pair in (kernel_size, stride, cut)]
        module = nn.ConvTranspose2d(channels, out, pairs[0], pairs[1], pairs[2], (more, more), bias=bias)
        return Built({"": module} | followed(activation), (out, given[0], given[1]))

    return build


def _cut(kernel_size: list[int], stride: list[int], padding: list[int] | Literal["same"]) -> list[int]:
    """Return the pixels that a transposed convolution leaves out on either side."""
    if padding != "same":
        return padding
    beyond = [k - s for k, s in zip(kernel_size, stride, strict=True)]
    if any(one < 0 or one % 2 for one in beyond):
        raise ValueError(
            f'"same" wants kernels longer than the stride by an even number, not {kernel_size[0]} x {kernel_size[1]} '
            f"with a stride of {stride[0]} x {stride[1]}: give padding and output_padding as numbers"
        )
    return [one // 2 for one in beyond]


def _convolution(
    inputs: Shape, out: int, kernel: Kernel, *, groups: int, bias: bool
) -> tuple[dict[str, nn.Module], Shape]:
    """Return a convolution, its border apart where it is another on either side, and the shape of its outputs."""
    channels, height, width = inputs
    rows, columns = kernel.over(height, width)
    border = (rows.before, columns.before)
    modules: dict[str, nn.Module] = {}
    if border != (rows.after, columns.after):
        modules["-pad"] = nn.ZeroPad2d((columns.before, columns.after, rows.before, rows.after))
        border = (0, 0)
    modules[""] = nn.Conv2d(
        channels,
        out,
        (kernel.size[0], kernel.size[1]),
        stride=(kernel.stride[0], kernel.stride[1]),
        padding=border,
        dilation=(kernel.dilation[0], kernel.dilation[1]),
        groups=groups,
        bias=bias,
    )
    return modules, (out, rows.given, columns.given)
