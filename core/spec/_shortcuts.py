"""Passes on the meta device where layers tell their outputs' shapes: torch's own way takes a millisecond for each."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.utils.flop_counter import conv_flop_count

ACTIVATIONS = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid),
    *(nn.Mish, nn.Softplus, nn.Hardswish, nn.Hardsigmoid),
)


def is_short(layer: nn.Module) -> bool:
    """Return whether a layer computes number by number, is a norm by its statistics, or a convolution."""
    return isinstance(layer, _NormBase) or type(layer) in (*ACTIVATIONS, nn.Conv2d)


@contextmanager
def shortened(layers: Sequence[nn.Module], convolved: Callable[[int], None]) -> Iterator[None]:
    """Have layers that are short give no more than a shape.

    `convolved` is told the operations of each convolution that was left out, as torch counts them.
    """
    for layer in filter(is_short, layers):
        layer.forward = partial(_convolve, layer, convolved) if type(layer) is nn.Conv2d else _unchanged
    try:
        yield
    finally:
        for layer in layers:
            layer.__dict__.pop("forward", None)


def _unchanged(x: torch.Tensor) -> torch.Tensor:
    return x


def _convolve(layer: nn.Conv2d, convolved: Callable[[int], None], x: torch.Tensor) -> torch.Tensor:
    shape = _shape_of_conv(layer, x)
    if shape is None:
        return type(layer).forward(layer, x)
    convolved(conv_flop_count(list(x.shape), list(layer.weight.shape), shape))
    return x.new_empty(shape)


def _shape_of_conv(layer: nn.Conv2d, x: torch.Tensor) -> list[int] | None:
    """Return the shape of a convolution's outputs; None where torch has to tell, as it does what is wrong."""
    if isinstance(layer.padding, str) or x.dim() != 4 or x.shape[1] != layer.in_channels:
        return None
    sides = [
        (side + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        for side, padding, dilation, kernel, stride in zip(
            x.shape[2:], layer.padding, layer.dilation, layer.kernel_size, layer.stride, strict=True
        )
    ]
    return [x.shape[0], layer.out_channels, *sides] if min(sides) > 0 else None
