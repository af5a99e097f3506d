"""A model that is written down layer by layer."""

from collections import OrderedDict
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from torch import nn
from torch.nn.modules.conv import _ConvNd

from core.errors import Misfit
from core.models import Model, models
from core.models._activations import ACTIVATIONS
from core.models.layers import LayerBuilder, Shape
from core.models.layers._sizes import shown
from core.models.layers._spelling import LayerField, NamedLayer

MOST = 256
"""The most layers of a list."""


def _bounded(layers: Any) -> Any:
    """Refuse a list that is too long before any of its layers is read: pydantic would read it to its end."""
    if isinstance(layers, list) and len(layers) > MOST:
        raise ValueError(f"has {len(layers):,} layers; {MOST} is the most")
    return layers


Layers = Annotated[list[LayerField], Field(min_length=1, max_length=MOST), BeforeValidator(_bounded)]


@models.register(
    formula="x -> layer 0 -> layer 1 -> ... -> outputs",
    source="torch.nn.Sequential; keras.Sequential",
    aliases=["Sequential"],
)
def sequential(*, layers: Layers) -> Model:
    """Layers one after the other, by Keras' and torch's names: the catalogue's `layers`.

    "relu", {"maxpool": 2} or {"conv2d": {"filters": 32, "kernel": 3}}: a name alone, with its first parameter, or with
    its parameters. A layer goes by its index, "0", or by the `name` that it is given among its parameters: so the
    diagnostics call it, and so its random streams are chosen; `per_layer` and `lr_per_layer` know its index too. Layers
    of one name start alike in all arms, wherever they stand. The last gives as many numbers as the data set asks for,
    {"dense": "outputs"}, and no activation of them: sigmoid and softmax are the loss's.
    """
    written: list[NamedLayer] = layers
    names = [layer.name or str(i) for i, layer in enumerate(written)]
    for i, name in enumerate(names):
        if name in names[:i]:
            raise Misfit(f"layers[{i}]", f"has the name {name!r} of layer {names.index(name)}: give it another")
    builders: list[LayerBuilder] = [layer.layer.build() for layer in written]

    def build(inputs: Shape, outputs: int) -> nn.Module:
        modules: OrderedDict[str, nn.Module] = OrderedDict()
        shape = inputs
        for i, (layer, name, builder) in enumerate(zip(written, names, builders, strict=True)):
            try:
                made = builder(shape, outputs)
            except ValueError as error:
                raise Misfit(f"layers[{i}]", f"layer {i} ({layer.layer.name}) {error}") from None
            modules.update({name + part: module for part, module in made.modules.items()})
            if layer.name is not None and name in modules:  # per_layer knows it by its index too
                modules[name].place = str(i)  # type: ignore[assignment]
            shape = made.shape
        _check_last(written[-1], len(written) - 1, shape, outputs)
        if not any(isinstance(module, nn.Linear | _ConvNd) for module in modules.values()):
            raise Misfit("layers", 'has no weights to learn: it needs a layer such as {"dense": "outputs"}')
        return nn.Sequential(modules)

    return build


def _check_last(last: NamedLayer, i: int, shape: Shape, outputs: int) -> None:
    where = f"layer {i} ({last.layer.name}), the last,"
    activation = last.layer.parameters().get("activation", last.layer.name)
    if activation in ACTIVATIONS and activation != "linear":
        message = f"{where} is an activation, and the loss takes outputs before it (sigmoid and softmax are its own)"
        raise Misfit(f"layers[{i}]", f"{message}: leave {activation} out")
    if last.layer.name.startswith("dropout"):
        raise Misfit(f"layers[{i}]", f"{where} would drop outputs: put it before the layer that gives them")
    if shape != (outputs,):
        message = f'{where} gives {shown(shape)}, and the data set asks for {outputs}: end with {{"dense": "outputs"}}'
        raise Misfit(f"layers[{i}]", message)
