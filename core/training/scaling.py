"""Factors by which a scheme such as mup departs from one learning rate for all parameters."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from torch import nn

from core.datasets import DatasetInfo
from core.initializers import Initializer, Layer
from core.models import growth, on_meta
from core.optimizers import Optimizer
from core.registry import Entry
from core.spec import Treatment, layers_of, rate_factors


class ParameterScaling(NamedTuple):
    """Factors of one parameter."""

    forward: float = 1.0
    """Of the parameter, wherever the forward pass uses it."""
    lr: float = 1.0
    """Of its learning rate."""
    weight_decay: float = 1.0
    """Of its weight decay: 1 / lr where the shrinkage per update stays, as in muP."""


def factors(treatment: Treatment, data: DatasetInfo) -> dict[str, ParameterScaling]:
    """Return the factors of the parameters that have any but 1, by name: the initializer's times those of the rates."""
    initializer: Initializer = treatment.initializer.build()
    optimizer: Optimizer = treatment.optimizer.build()
    layers, parameters = _layers(treatment.model, data.inputs, data.outputs)
    found = {}
    for name, layer in layers.items():
        scaling = initializer.scaling(layer, optimizer.steps)
        forward = scaling.forward * scaling.output
        found[f"{name}.weight"] = ParameterScaling(forward, scaling.weight_lr, 1 / scaling.weight_lr)
        found[f"{name}.bias"] = ParameterScaling(scaling.output, scaling.bias_lr, 1 / scaling.bias_lr)
    if treatment.layer_lr_decay is not None or treatment.lr_per_layer is not None:
        module = on_meta(treatment.model, data.inputs, data.outputs)
        by_layer = rate_factors(module, treatment.layer_lr_decay, treatment.lr_per_layer)
        found |= {name: scaled(found.get(name), lr=factor) for name, factor in by_layer.items()}
    return {name: factor for name, factor in found.items() if name in parameters and factor != ParameterScaling()}


def scaled(scaling: ParameterScaling | None, lr: float) -> ParameterScaling:
    """Return factors, where there are any, with another learning rate, so many times as high."""
    own = scaling or ParameterScaling()
    return own._replace(lr=own.lr * lr)


def undecayed(scaling: ParameterScaling | None) -> ParameterScaling:
    """Return factors, where there are any, of a parameter that does not decay."""
    return (scaling or ParameterScaling())._replace(weight_decay=0.0)


@lru_cache(maxsize=64)  # the lanes of a cohort share their model
def _layers(model: Entry, inputs: tuple[int, ...], outputs: int) -> tuple[Mapping[str, Layer], frozenset[str]]:
    """Return the model's layers and the other modules with a weight, norms, and the names of all parameters."""
    module = on_meta(model, inputs, outputs)
    grows = growth(model, inputs, outputs)
    layers = dict(layers_of(module, grows))
    for name, part in module.named_modules():
        gain = getattr(part, "weight", None)
        if name not in layers and isinstance(gain, nn.Parameter):
            of_gain = None if grows is None else grows[f"{name}.weight"]
            layers[name] = Layer(shape=tuple(gain.shape), name=name, growth=of_gain)
    return layers, frozenset(name for name, _ in module.named_parameters())
