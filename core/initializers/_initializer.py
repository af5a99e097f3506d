"""The interface of initializers: laws for a layer's weight and bias, and optional scaling and calibration."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import torch
from torch import nn

from core.errors import Problem
from core.initializers._laws import Constant, Law, Shape, Uniform, fans
from core.registry import Real

State = dict[str, torch.Tensor]
"""Initial values by the name of the parameter or buffer."""
Steps = Literal["adam", "sgd"]
"""The growth of an optimizer's step with the gradient: none, as Adam's, or proportional, as SGD's."""


Role = Literal["input", "hidden", "output", "only"]
"""A layer's place in the network: it reads the data, gives the outputs, does both, or neither."""


@dataclass(frozen=True)
class Layer:
    """A layer as an initializer sees it, to set its weight and bias.

    `shape` is the weight's, in torch's layout: `(out, in / groups, *kernel)`, and `(in, out / groups, *kernel)` where
    it is `transposed`.
    """

    shape: Shape
    name: str = "layer"
    """The layer's path in the model, such as `fc1`."""
    groups: int = 1
    role: Role = "hidden"
    ends_branch: bool = False
    """True if the layer's output is added to a residual stream."""
    branches: int = 0
    """Residual branches of the whole model."""
    transposed: bool = False
    """True for a transposed convolution."""
    growth: Shape | None = None
    """The growth of each dimension with one unit of the model's width, 0 for one that stays; None: the model has no
    width, or there is no model."""
    heads: int = 0
    """The heads that share the layer's outputs, where it makes an attention's queries; else 0."""
    place: str | None = field(default=None, compare=False)
    """The index of a layer in a model's list, where it goes by a name of its own."""

    @property
    def fans(self) -> tuple[int, int]:
        """`(fan_in, fan_out)`: the inputs of one output; all outputs of one group's input, and of the others.

        fan_out is that of torch and Keras, which do not divide it by the groups. Of a transposed convolution they take
        one fan for the other, this does not. Raises ValueError for a shape of fewer than two dimensions.
        """
        first, second = fans(self.shape)
        return (second // self.groups, first * self.groups) if self.transposed else (first, second)

    @property
    def is_last(self) -> bool:
        """True if it gives the network's outputs."""
        return self.role in ("output", "only")

    @property
    def group_fans(self) -> tuple[int, int]:
        """`fans` with the outputs of one group alone: those that an input reaches."""
        fan_in, fan_out = self.fans
        return fan_in, fan_out // self.groups

    @property
    def outputs(self) -> int:
        """The number of outputs, each with a bias."""
        return self.shape[1] * self.groups if self.transposed else self.shape[0]


class Scaling(NamedTuple):
    """Factors by which a scheme departs from one learning rate for all."""

    forward: float = 1.0
    """Factor of the weight, wherever the forward pass uses it."""
    weight_lr: float = 1.0
    """Factor of the weight's learning rate; weight decay is divided by it, so that the shrinkage per update stays."""
    bias_lr: float = 1.0
    output: float = 1.0
    """Factor of all that the layer gives, the bias's part too: of a query's, for it is that of the attention's logits.
    """


class Calibration(NamedTuple):
    """A second step of an initializer that looks at data."""

    examples: int
    """Number of training examples that it reads."""
    fit: Callable[[nn.Module, State, torch.Tensor], State]
    """(module on the meta device in eval mode, state as drawn, examples) -> the state to start from."""
    passes: int = 1
    """Times that it calls a layer, at most."""


@dataclass(frozen=True)
class Initializer:
    """Maps a layer to the law of its weight and to the law of its bias (zero unless it says else).

    A weight has two dimensions or more. Norms start from constants of their own, unless `norm` says otherwise. A law
    that cannot be had for the layer raises ValueError.
    """

    weight: Callable[[Layer], Law]
    bias: Callable[[Layer], Law] = lambda _layer: Constant(0.0)
    scaling: Callable[[Layer, Steps], Scaling] = lambda _layer, _steps: Scaling()
    """Asked for every layer with a weight, also for norms (their `shape` is that of the gain, one dimension)."""
    calibration: Calibration | None = None
    prior: bool = False
    """True where the last layer's bias starts from the training targets: an untrained network then gives their share.
    """
    norm: "Callable[[Layer], Initializer | None]" = lambda _layer: None
    """Returns what draws a norm's gain and bias, whose `shape` has one dimension; None: they are 1 and 0."""
    as_constructed: bool = False
    """True where every value is the model's own, as its constructor draws it; `weight` is that of a layer by itself."""
    draws_bias: Callable[[Layer], bool] = lambda _layer: False
    """Returns True of a layer whose bias is drawn although the rest is as constructed."""
    check: Callable[[Mapping[str, Layer]], Iterable[Problem]] = lambda _layers: ()
    """Returns the problems of a model, given as its layers and norms by name; paths are inside the initializer's entry.
    """

    @property
    def only_draws(self) -> bool:
        """True if it needs neither data, nor learning rates of its own, nor the whole model."""
        alone = self.calibration is None and not self.as_constructed and not self.prior
        return alone and self.scaling is Initializer.scaling


def torch_law(layer: Layer) -> Uniform:
    """Return PyTorch's own law for weights and biases: U(-y, y), y = 1 / sqrt(fan_in); 0 where there are no inputs.

    Of a transposed convolution it takes the outputs' fan, as PyTorch does.
    """
    fan_in, _ = fans(layer.shape)
    return Uniform.symmetric(1 / math.sqrt(fan_in) if fan_in else 0.0)


Bias = Real | Literal["torch_default"] | None
"""A number for every bias, PyTorch's U(-y, y), y = 1 / sqrt(fan_in), or (None) what the initializer says: zero, but for
`torch_default`, and for `per_layer` and `mup`, where the nested initializer says."""


OutputBias = Real | Literal["prior"] | None
"""The last layer's bias: a number, "prior" (the logarithms of the classes' shares among the training targets, in a
binary task of the odds, in a regression the targets' mean), or (None) that of the other layers."""


def finish(initializer: Initializer, *, bias: Bias, output_bias: OutputBias) -> Initializer:
    """Return the initializer with the spec's biases; an empty weight is constant 0, whatever the scheme."""
    if output_bias == "prior":
        initializer = replace(initializer, prior=True)
    initializer = _biased(initializer, bias)
    if not isinstance(output_bias, float | int):
        return initializer
    others, drawn, own = initializer.bias, initializer.draws_bias, Constant(float(output_bias))
    return replace(
        initializer,
        bias=lambda layer: own if layer.is_last else others(layer),
        draws_bias=lambda layer: layer.is_last or drawn(layer),
    )


def _biased(initializer: Initializer, bias: Bias) -> Initializer:

    def weight(layer: Layer) -> Law:
        return Constant(0.0) if 0 in layer.shape else initializer.weight(layer)

    if bias is None:
        return replace(initializer, weight=weight)
    law = torch_law if bias == "torch_default" else lambda _layer: Constant(float(bias))
    return replace(initializer, weight=weight, bias=law, draws_bias=lambda _layer: True)
