"""Activations, each by its own name and as torch has it."""

from typing import Annotated

from pydantic import Field
from torch import nn

from core.models.layers import Built, LayerBuilder, layers
from core.registry import Alias


@layers.register(formula="max(0, x)", source="torch.nn.ReLU; keras.layers.ReLU", aliases=[Alias("ReLU")])
def relu() -> LayerBuilder:
    """The rectifier."""
    return lambda inputs, _outputs: Built({"": nn.ReLU()}, inputs)


@layers.register(
    formula="min(max(0, x), 6)",
    source="arXiv:1704.04861; torch.nn.ReLU6; keras.activations.relu6",
    aliases=[Alias("ReLU6")],
)
def relu6() -> LayerBuilder:
    """The rectifier, cut at 6."""
    return lambda inputs, _outputs: Built({"": nn.ReLU6()}, inputs)


@layers.register(
    formula="max(0, x) + negative_slope·min(0, x)",
    source="torch.nn.LeakyReLU; keras.layers.LeakyReLU, whose negative_slope is 0.3 where nothing is said",
    aliases=[Alias("LeakyReLU")],
)
def leaky_relu(*, negative_slope: Annotated[float, Field(ge=0, le=1)] = 0.01) -> LayerBuilder:
    """The rectifier with a slope below 0, which is torch's where nothing is said."""
    return lambda inputs, _outputs: Built({"": nn.LeakyReLU(negative_slope)}, inputs)


@layers.register(
    formula="max(0, x) + a·min(0, x), a is learned, at first 0.25",
    source="He et al. 2015, arXiv:1502.01852; torch.nn.PReLU",
    aliases=[Alias("PReLU")],
)
def prelu() -> LayerBuilder:
    """The rectifier with one learned slope a layer, as torch's; Keras' has one for every number."""
    return lambda inputs, _outputs: Built({"": nn.PReLU()}, inputs)


@layers.register(
    formula="x where x > 0, else exp(x) - 1", source="arXiv:1511.07289; torch.nn.ELU", aliases=[Alias("ELU")]
)
def elu() -> LayerBuilder:
    """The exponential linear unit."""
    return lambda inputs, _outputs: Built({"": nn.ELU()}, inputs)


@layers.register(
    formula="1.0507·(x where x > 0, else 1.6733·(exp(x) - 1))",
    source="arXiv:1706.02515; torch.nn.SELU",
    aliases=[Alias("SELU")],
)
def selu() -> LayerBuilder:
    """The scaled exponential linear unit."""
    return lambda inputs, _outputs: Built({"": nn.SELU()}, inputs)


@layers.register(
    formula="x·Phi(x), Phi of the standard normal", source="arXiv:1606.08415; torch.nn.GELU", aliases=[Alias("GELU")]
)
def gelu() -> LayerBuilder:
    """The Gaussian error linear unit, exact."""
    return lambda inputs, _outputs: Built({"": nn.GELU()}, inputs)


@layers.register(formula="tanh(x)", source="torch.nn.Tanh", aliases=[Alias("Tanh")])
def tanh() -> LayerBuilder:
    """The hyperbolic tangent."""
    return lambda inputs, _outputs: Built({"": nn.Tanh()}, inputs)


@layers.register(formula="1 / (1 + exp(-x))", source="torch.nn.Sigmoid", aliases=[Alias("Sigmoid")])
def sigmoid() -> LayerBuilder:
    """The logistic function; not of the outputs, whose loss has it already."""
    return lambda inputs, _outputs: Built({"": nn.Sigmoid()}, inputs)


@layers.register(formula="x", source="torch.nn.Identity; keras.layers.Identity", aliases=[Alias("Identity")])
def identity() -> LayerBuilder:
    """Its inputs, unchanged."""
    return lambda inputs, _outputs: Built({"": nn.Identity()}, inputs)


@layers.register(
    formula="x / (1 + exp(-x))",
    source="arXiv:1702.03118, arXiv:1710.05941; torch.nn.SiLU; keras.activations.silu",
    aliases=[Alias("SiLU"), Alias("swish")],
)
def silu() -> LayerBuilder:
    """The sigmoid linear unit, or swish."""
    return lambda inputs, _outputs: Built({"": nn.SiLU()}, inputs)


@layers.register(formula="x·tanh(log(1 + exp(x)))", source="arXiv:1908.08681; torch.nn.Mish", aliases=[Alias("Mish")])
def mish() -> LayerBuilder:
    """A smooth rectifier that is a little below 0 for some x below 0."""
    return lambda inputs, _outputs: Built({"": nn.Mish()}, inputs)


@layers.register(
    formula="x·min(max(x + 3, 0), 6) / 6",
    source="arXiv:1905.02244; torch.nn.Hardswish; keras.activations.hard_silu",
    aliases=[Alias("Hardswish"), Alias("hard_silu")],
)
def hardswish() -> LayerBuilder:
    """Swish in straight pieces."""
    return lambda inputs, _outputs: Built({"": nn.Hardswish()}, inputs)


@layers.register(formula="log(1 + exp(x))", source="torch.nn.Softplus", aliases=[Alias("Softplus")])
def softplus() -> LayerBuilder:
    """The smooth rectifier."""
    return lambda inputs, _outputs: Built({"": nn.Softplus()}, inputs)
