"""PyTorch's default initializer."""

from core.initializers import Initializer, initializers, torch_law


@initializers.register(
    formula="weights and biases ~ U(-y, y), y = 1 / sqrt(fan_in)",
    source="LeCun et al. 1998, Efficient BackProp; torch.nn.Linear.reset_parameters",
    aliases=["framework_default"],
)
def torch_default() -> Initializer:
    """PyTorch's own default for linear and convolution layers, biases included."""
    return Initializer(torch_law, bias=torch_law)
