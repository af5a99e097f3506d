"""Convolutions."""

from torch import nn

from core.models._sizes import Width
from core.models.layers import Built, LayerBuilder, Shape, layers
from core.models.layers._activation import Activation, followed
from core.models.layers._sizes import Border, Kernel, Outputs, Pair, picture_of, width_of
from core.registry import Alias, Count


@layers.register(
    formula="y_f = b_f + sum over c of w_fc * x_c, of the channels f and c; activation(y)",
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
    formula="y_(c·m + i) = b_(c·m + i) + w_ci * x_c, i < m = depth_multiplier; activation(y)",
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
