"""What a treatment's model is made of and how large it is, found without taking its memory."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import nn

from core.initializers import Layer
from core.registry import Entry
from core.spec._layers import layers_of


class Size(NamedTuple):
    """Numbers that a run of the model holds, and the layers that an initializer starts."""

    layers: Mapping[str, Layer]
    parameters: int
    activations: int
    """Of one example in a forward pass: the input, and what each layer gives."""


@lru_cache(maxsize=1024)  # the arms of an experiment mostly share their model
def size(model: Entry, inputs: tuple[int, ...], outputs: int) -> Size:
    """Build the model for the data and see that an example passes through it.

    Raises what torch raises where the two do not fit: RuntimeError, ValueError, OverflowError.
    """
    with torch.device("meta"):
        module: nn.Module = model.build()(inputs, outputs)
        example = torch.empty(1, *inputs)
    described = layers_of(module)
    parameters = sum(p.numel() for p in module.parameters())
    seen = [example.numel()]
    layers = [layer for layer in module.modules() if not list(layer.children())]
    if isinstance(module, nn.Sequential) and isinstance(layers[0], nn.Flatten):  # dense layers, one after the other
        for layer in layers:
            seen.append(layer.out_features if isinstance(layer, nn.Linear) else seen[-1])
        return Size(described, parameters, sum(seen))
    for layer in layers:
        layer.register_forward_hook(lambda _layer, _inputs, output: seen.append(output[0].numel()))
    with torch.no_grad():  # the first pass on the meta device loads torch's compiler, 1.5 s: dense networks go without
        module.eval()(example)
    return Size(described, parameters, sum(seen))
