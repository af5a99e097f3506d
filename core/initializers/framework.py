"""What a layer does when nobody asks for anything."""

import math

from core.initializers import Initializer, Shape, Uniform, fans, initializers


@initializers.register(
    formula="weights and biases ~ U(-y, y), y = 1 / sqrt(fan_in)",
    source="LeCun et al. 1998, Efficient BackProp; torch.nn.Linear.reset_parameters",
    aliases=["framework_default"],
)
def torch_default() -> Initializer:
    """PyTorch's own default for linear and convolution layers, biases included."""

    def law(shape: Shape) -> Uniform:
        bound = 1 / math.sqrt(max(1, fans(shape)[0]))
        return Uniform(-bound, bound)

    return Initializer(law, bias=law)
