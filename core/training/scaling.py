"""Factors by which a scheme such as mup departs from one learning rate for all parameters."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import nn

from core.datasets import DatasetInfo
from core.initializers import Initializer, Layer
from core.models import growth
from core.optimizers import Optimizer
from core.registry import Entry
from core.spec import Treatment, layers_of


class ParameterScaling(NamedTuple):
    """Factors of one parameter; weight decay is divided by `lr`, so that the shrinkage per update stays."""

    forward: float = 1.0
    lr: float = 1.0


def factors(treatment: Treatment, data: DatasetInfo) -> dict[str, ParameterScaling]:
    """Return the factors of the parameters that have any but 1, by name."""
    initializer: Initializer = treatment.initializer.build()
    optimizer: Optimizer = treatment.optimizer.build()
    layers, parameters = _layers(treatment.model, data.inputs, data.outputs)
    found = {}
    for name, layer in layers.items():
        scaling = initializer.scaling(layer, optimizer.steps)
        found[f"{name}.weight"] = ParameterScaling(scaling.forward * scaling.output, scaling.weight_lr)
        found[f"{name}.bias"] = ParameterScaling(scaling.output, scaling.bias_lr)
    return {name: factor for name, factor in found.items() if name in parameters and factor != ParameterScaling()}


@lru_cache(maxsize=64)  # the lanes of a cohort share their model
def _layers(model: Entry, inputs: tuple[int, ...], outputs: int) -> tuple[Mapping[str, Layer], frozenset[str]]:
    """Return the model's layers and the other modules with a weight, norms, and the names of all parameters."""
    with torch.device("meta"):
        module: nn.Module = model.build()(inputs, outputs)
    grows = growth(model, inputs, outputs)
    layers = dict(layers_of(module, grows))
    for name, part in module.named_modules():
        gain = getattr(part, "weight", None)
        if name not in layers and isinstance(gain, nn.Parameter):
            of_gain = None if grows is None else grows[f"{name}.weight"]
            layers[name] = Layer(shape=tuple(gain.shape), name=name, growth=of_gain)
    return layers, frozenset(name for name, _ in module.named_parameters())
