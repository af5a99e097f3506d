"""The defaults of PyTorch's layers, and of whole models."""

from core.initializers import Initializer, initializers, torch_law


@initializers.register(
    formula="weights and biases ~ U(-y, y), y = 1 / sqrt(fan_in)",
    source="LeCun et al. 1998, Efficient BackProp; torch.nn.Linear.reset_parameters",
    aliases=["framework_default"],
)
def torch_default() -> Initializer:
    """PyTorch's own default for linear and convolution layers, biases included."""
    return Initializer(torch_law, bias=torch_law)


@initializers.register(
    formula="what the model's constructor draws; a layer by itself: U(-y, y), y = 1 / sqrt(fan_in)",
    source="torchvision.models: resnets from kaiming_normal_ by fan_out, transformers from trunc_normal_",
    aliases=["torchvision_default"],
)
def model_default() -> Initializer:
    """The model's own start: every weight, bias and norm as its constructor draws it under the seed.

    It is torchvision's, of its models; our own models leave it to torch's layers.
    """
    return Initializer(torch_law, bias=torch_law, as_constructed=True)
