"""The layers of a model as an initializer sees them."""

from collections.abc import Mapping

from torch import nn
from torch.nn.modules.conv import _ConvNd

from core.initializers import Layer


def layers_of(module: nn.Module) -> Mapping[str, Layer]:
    """Every linear and convolution layer by name, in the order of the model.

    The first reads the data and the last gives the outputs. A layer ends a residual branch where the model has marked
    it with an attribute `ends_branch`.
    """
    found = {name: layer for name, layer in module.named_modules() if isinstance(layer, nn.Linear | _ConvNd)}
    names = list(found)
    branches = sum(hasattr(layer, "ends_branch") for layer in found.values())
    described = {}
    for name, layer in found.items():
        first, last = name == names[0], name == names[-1]
        described[name] = Layer(
            shape=tuple(layer.weight.shape),
            name=name,
            groups=layer.groups if isinstance(layer, _ConvNd) else 1,
            role="only" if first and last else "input" if first else "output" if last else "hidden",
            ends_branch=hasattr(layer, "ends_branch"),
            branches=branches,
        )
    return described
